/** When people act over a week. All numbers are relative. */
export interface WeekShape {
  /** For each hour of the day, 24 numbers: the rate at the full hour. Between full hours it is linear. */
  readonly hours: readonly number[];
  /** For each day, Monday first, 7 numbers: a factor of the whole day. */
  readonly days: readonly number[];
  /** Factors of days in the year, as `11-11`, over an ordinary day. */
  readonly saleDays: Readonly<Record<string, number>>;
}

/**
 * The documented synthetic week of a checkout. Assumed, because no hourly counts of parcel orders are published openly: two peaks, at noon and at nine in the
 * evening, the greater one in the evening; a minimum at four; more orders at the start of the week than at its end; sale days on which the
 * same shape has several times the volume from midnight to midnight.
 */
export const checkoutWeek: WeekShape = {
  hours: [
    0.55, 0.3, 0.15, 0.09, 0.07, 0.1, 0.2, 0.45, 0.75, 1.0, 1.2, 1.4, 1.6, 1.45, 1.2, 1.1, 1.1, 1.15, 1.25, 1.55, 1.9, 2.05, 1.7, 1.1,
  ],
  days: [1.08, 1.05, 1.03, 1.0, 0.97, 0.9, 0.97],
  saleDays: { "9-9": 2, "10-10": 2, "11-11": 4, "12-12": 3 },
};
