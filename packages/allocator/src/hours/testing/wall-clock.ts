import type { OpeningHours } from "@petak/protocol";

/** What a clock on a wall shows. */
export interface WallClock {
  /** ISO number of the day of the week. */
  weekday: number;
  /** The date, e.g. `2026-11-05`. */
  date: string;
  minute: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Reads the clock of a zone, by asking for the date and time in letters. */
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

/** Whether the clock on the wall shows a time that the hours, as an operator sent them, hold. */
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
    // Over the end of the week: late in it, or early.
    return nowInWeek >= open || nowInWeek < close;
  });
}

/** For how many ms it is open in [fromMs, toMs), both on whole minutes, by looking at the clock every minute. */
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
