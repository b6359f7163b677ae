/** A calendar date and a time of day in a time zone. */
export interface LocalTime {
  readonly year: number;
  /** From 1. */
  readonly month: number;
  readonly day: number;
  /** After midnight. Range: [0, 1439]. */
  readonly minute: number;
}

/** What clocks show in a time zone at an instant, in ms since 1970. In UTC, if this machine does not know the zone. */
export function localTime(timeZone: string, ms: number): LocalTime {
  const parts = formatOf(timeZone).formatToParts(ms);
  const part = (type: string) => Number(parts.find((one) => one.type === type)?.value);
  return { year: part("year"), month: part("month"), day: part("day"), minute: part("hour") * 60 + part("minute") };
}

/** Whether two instants are in the same month of a time zone, and on the same day of it. */
export function isSameDay(one: LocalTime, other: LocalTime): { readonly month: boolean; readonly day: boolean } {
  const month = one.year === other.year && one.month === other.month;
  return { month, day: month && one.day === other.day };
}

/** A time of day, `18:00`. @param minute after midnight */
export const clockText = (minute: number) => `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const fields = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;
  try {
    return new Intl.DateTimeFormat("en", { ...fields, timeZone });
  } catch (error) {
    if (error instanceof RangeError) return new Intl.DateTimeFormat("en", { ...fields, timeZone: "UTC" });
    throw error;
  }
}
