import type { LocalDate, MinuteRange, OpeningHours, WeeklyPeriod } from "@petak/protocol";

/** Minutes after local midnight: [from, to), with to at most 1440. */
export type MinuteSpan = readonly [from: number, to: number];

/** Opening hours of a site in local time, in a canonical form: equal hours have equal forms. */
export interface OpeningTimes {
  /** IANA name. */
  timeZone: string;
  /** Open spans of each day of the week, Monday first; sorted, neither overlapping nor touching. */
  week: readonly (readonly MinuteSpan[])[];
  /** Open spans of exceptional days, by {@link dayNumber}. */
  exceptions: ReadonlyMap<number, readonly MinuteSpan[]>;
}

const dayMinutes = 1440;
const weekMinutes = 7 * dayMinutes;
const wholeDay: readonly MinuteSpan[] = [[0, dayMinutes]];

/** Days from 1970-01-01 to a calendar day. */
export function dayNumber({ year, month, day }: Pick<LocalDate, "year" | "month" | "day">): number {
  return Date.UTC(year, month - 1, day) / 86_400_000;
}

/** Converts a site's opening hours to the canonical form. */
export function openingTimes(timeZone: string, hours: OpeningHours | undefined): OpeningTimes {
  const week = hours?.alwaysOpen === true ? Array.from({ length: 7 }, () => wholeDay) : weekOf(hours?.weekly ?? []);
  const exceptions = (hours?.exceptions ?? [])
    .flatMap(({ date, open }) => (date === undefined ? [] : [[dayNumber(date), merged(open.map(minuteSpan))] as const]))
    .sort(([a], [b]) => a - b);
  return { timeZone, week, exceptions: new Map(exceptions) };
}

/** Whether every day is open for 24 hours. */
export function isAlwaysOpen({ week, exceptions }: OpeningTimes): boolean {
  return [...week, ...exceptions.values()].every((spans) => spans.length === 1 && spans[0]?.[0] === 0 && spans[0][1] === dayMinutes);
}

/** Encodes opening times for the region's list. */
export function encodeOpeningTimes({ timeZone, week, exceptions }: OpeningTimes): Buffer {
  return Buffer.from(JSON.stringify([timeZone, week, [...exceptions]]));
}

/** Decodes the result of {@link encodeOpeningTimes}. */
export function decodeOpeningTimes(bytes: Buffer): OpeningTimes {
  const [timeZone, week, exceptions] = JSON.parse(bytes.toString()) as [string, MinuteSpan[][], [number, MinuteSpan[]][]];
  return { timeZone, week, exceptions: new Map(exceptions) };
}

function minuteSpan({ openMinute, closeMinute }: MinuteRange): MinuteSpan {
  return [openMinute, closeMinute];
}

/** Splits weekly periods at midnight. */
function weekOf(periods: readonly WeeklyPeriod[]): MinuteSpan[][] {
  const days: MinuteSpan[][] = Array.from({ length: 7 }, () => []);
  for (const { openDay, openMinute, closeDay, closeMinute } of periods) {
    const from = (openDay - 1) * dayMinutes + openMinute;
    let to = (closeDay - 1) * dayMinutes + closeMinute;
    // A period that closes at or before its opening on the same day is invalid input and does not mean the rest of the week.
    if (to <= from && openDay === closeDay) continue;
    if (to <= from) to += weekMinutes;
    for (let at = from; at < to; ) {
      const midnight = (Math.floor(at / dayMinutes) + 1) * dayMinutes;
      const end = Math.min(to, midnight);
      days[Math.floor(at / dayMinutes) % 7]?.push([at % dayMinutes, end - (midnight - dayMinutes)]);
      at = end;
    }
  }
  return days.map(merged);
}

/** Sorts spans and merges those that overlap or touch. */
function merged(spans: readonly MinuteSpan[]): MinuteSpan[] {
  const apart: [number, number][] = [];
  for (const [from, to] of spans.toSorted(([a], [b]) => a - b)) {
    const last = apart.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else if (from < to) apart.push([from, to]);
  }
  return apart;
}
