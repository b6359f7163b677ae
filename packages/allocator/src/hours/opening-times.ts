import type { LocalDate, MinuteRange, OpeningHours, WeeklyPeriod } from "@petak/protocol";

/** Minutes after local midnight: [from, to), with to at most 1440. */
export type MinuteSpan = readonly [from: number, to: number];

/** When a site is open, by the clock on its wall, in the form in which it is kept: equal hours have equal forms. */
export interface OpeningTimes {
  /** IANA name. */
  timeZone: string;
  /** The open spans of each day of the week, Monday first; in order, apart from each other. */
  week: readonly (readonly MinuteSpan[])[];
  /** The open spans of days that differ, by {@link dayNumber}. */
  exceptions: ReadonlyMap<number, readonly MinuteSpan[]>;
}

const dayMinutes = 1440;
const weekMinutes = 7 * dayMinutes;
const wholeDay: readonly MinuteSpan[] = [[0, dayMinutes]];

/** The number of a calendar day: days since 1970-01-01. */
export function dayNumber({ year, month, day }: Pick<LocalDate, "year" | "month" | "day">): number {
  return Date.UTC(year, month - 1, day) / 86_400_000;
}

/** The hours of a site in their kept form. */
export function openingTimes(timeZone: string, hours: OpeningHours | undefined): OpeningTimes {
  const week = hours?.alwaysOpen === true ? Array.from({ length: 7 }, () => wholeDay) : weekOf(hours?.weekly ?? []);
  const exceptions = (hours?.exceptions ?? [])
    .flatMap(({ date, open }) => (date === undefined ? [] : [[dayNumber(date), merged(open.map(minuteSpan))] as const]))
    .sort(([a], [b]) => a - b);
  return { timeZone, week, exceptions: new Map(exceptions) };
}

/** Whether there is no instant at which it is closed. */
export function isAlwaysOpen({ week, exceptions }: OpeningTimes): boolean {
  return [...week, ...exceptions.values()].every((spans) => spans.length === 1 && spans[0]?.[0] === 0 && spans[0][1] === dayMinutes);
}

/** Writes opening times for the region's list. */
export function encodeOpeningTimes({ timeZone, week, exceptions }: OpeningTimes): Buffer {
  return Buffer.from(JSON.stringify([timeZone, week, [...exceptions]]));
}

/** Reads what {@link encodeOpeningTimes} wrote. */
export function decodeOpeningTimes(bytes: Buffer): OpeningTimes {
  const [timeZone, week, exceptions] = JSON.parse(bytes.toString()) as [string, MinuteSpan[][], [number, MinuteSpan[]][]];
  return { timeZone, week, exceptions: new Map(exceptions) };
}

function minuteSpan({ openMinute, closeMinute }: MinuteRange): MinuteSpan {
  return [openMinute, closeMinute];
}

/** Cuts the periods at midnight. */
function weekOf(periods: readonly WeeklyPeriod[]): MinuteSpan[][] {
  const days: MinuteSpan[][] = Array.from({ length: 7 }, () => []);
  for (const { openDay, openMinute, closeDay, closeMinute } of periods) {
    const from = (openDay - 1) * dayMinutes + openMinute;
    let to = (closeDay - 1) * dayMinutes + closeMinute;
    // Within one day it closes after it opens; whoever wrote it otherwise did not mean the rest of the week.
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

/** The same minutes, in order, where spans that overlap or touch are one. */
function merged(spans: readonly MinuteSpan[]): MinuteSpan[] {
  const apart: [number, number][] = [];
  for (const [from, to] of spans.toSorted(([a], [b]) => a - b)) {
    const last = apart.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else if (from < to) apart.push([from, to]);
  }
  return apart;
}
