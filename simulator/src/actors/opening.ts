import type { OpeningHours } from "@petak/protocol";
import { localClock } from "../time/local-time.ts";

const minuteMs = 60_000;
const dayMinutes = 1440;
const weekMinutes = 7 * dayMinutes;
/** 1970-01-01 was a Thursday; minutes of the week are counted from Monday. */
const firstMinute = 3 * dayMinutes;

/**
 * Returns a function from a time to the next at which a site is open, itself included. By its weekly hours: exceptional days are those of a calendar that the
 * trace is not played in.
 *
 * @param atMs times in ms since 1970
 */
export function openingOf(hours: OpeningHours | undefined, timeZone: string): (atMs: number) => number {
  const periods = (hours?.weekly ?? []).map(({ openDay, openMinute, closeDay, closeMinute }) => ({
    open: (openDay - 1) * dayMinutes + openMinute,
    close: (closeDay - 1) * dayMinutes + closeMinute,
  }));
  if (hours === undefined || hours.alwaysOpen || periods.length === 0) return (atMs) => atMs;
  const local = localClock(timeZone);
  return (atMs) => {
    const localMs = local(atMs);
    const minute = (((localMs / minuteMs + firstMinute) % weekMinutes) + weekMinutes) % weekMinutes;
    const waits = periods.map(({ open, close }) => {
      const sinceOpen = (minute - open + weekMinutes) % weekMinutes;
      const length = (close - open + weekMinutes) % weekMinutes || weekMinutes;
      return sinceOpen < length ? 0 : weekMinutes - sinceOpen;
    });
    return atMs + Math.ceil(Math.min(...waits) * minuteMs);
  };
}

/** Returns a function from a time to the next full local hour that is one of some, itself excluded. */
export function nextHourOf(hours: readonly number[], timeZone: string): (atMs: number) => number {
  const local = localClock(timeZone);
  return (atMs) => {
    const localMs = local(atMs);
    const day = Math.floor(localMs / (dayMinutes * minuteMs));
    const starts = [day, day + 1].flatMap((one) => hours.map((hour) => (one * 24 + hour) * 60 * minuteMs));
    return atMs + Math.min(...starts.filter((startMs) => startMs > localMs)) - localMs;
  };
}
