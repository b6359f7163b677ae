import type { OpeningHours } from "@petak/protocol";

/** Local date and time. */
export interface WallClock {
  /** ISO number of the day of the week. */
  weekday: number;
  /** The date, e.g. `2026-11-05`. */
  date: string;
  minute: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Local date and time in a zone, from a formatted string. */
export function wallClock(timeZone: string, atMs: number): WallClock {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("sv-SE", {
      timeZone,
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    });
    formats.set(timeZone, format);
  }
  const [date = "", time = ""] = format.format(atMs).split(" ");
  const [hour = 0, minute = 0] = time.split(":").map(Number);
  return { weekday: new Date(`${date}T12:00:00Z`).getUTCDay() || 7, date, minute: hour * 60 + minute };
}

/** Whether opening hours, as an operator sent them, contain the local time. A reference implementation for tests. */
export function isOpenByTheClock(timeZone: string, hours: OpeningHours, atMs: number): boolean {
  const now = wallClock(timeZone, atMs);
  const exception = hours.exceptions.find(({ date }) => {
    return date !== undefined && now.date === [date.year, twoDigits(date.month), twoDigits(date.day)].join("-");
  });
  if (exception !== undefined) return exception.open.some((range) => range.openMinute <= now.minute && now.minute < range.closeMinute);
  if (hours.alwaysOpen) return true;
  const nowInWeek = (now.weekday - 1) * 1440 + now.minute;
  return hours.weekly.some(({ openDay, openMinute, closeDay, closeMinute }) => {
    const open = (openDay - 1) * 1440 + openMinute;
    const close = (closeDay - 1) * 1440 + closeMinute;
    if (open < close) return open <= nowInWeek && nowInWeek < close;
    // Across the end of the week: late in it, or early.
    return nowInWeek >= open || nowInWeek < close;
  });
}

/** Open time in [fromMs, toMs), in ms, found by checking every minute; both ends on whole minutes. */
export function openMsByTheClock(timeZone: string, hours: OpeningHours, fromMs: number, toMs: number): number {
  let openMs = 0;
  for (let atMs = fromMs; atMs < toMs; atMs += 60_000) {
    if (isOpenByTheClock(timeZone, hours, atMs)) openMs += 60_000;
  }
  return openMs;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}
