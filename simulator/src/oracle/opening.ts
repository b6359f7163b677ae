import type { SiteSeen } from "../observe/observation.ts";
import { localClock } from "../time/local-time.ts";

const minuteMs = 60_000;
const dayMinutes = 1440;
const weekMs = 7 * dayMinutes * minuteMs;
/** From the Monday before 1970-01-01, a Thursday. */
const firstMs = 3 * dayMinutes * minuteMs;

const clocks = new Map<string, (atMs: number) => number>();

function clockOf(timeZone: string): (atMs: number) => number {
  const known = clocks.get(timeZone);
  if (known !== undefined) return known;
  const made = localClock(timeZone);
  clocks.set(timeZone, made);
  return made;
}

/**
 * Whether a site is open at a time by its weekly hours, in its local time: docs of `OpeningHours`. A time zone that this machine does not know has no answer.
 *
 * @param atMs ms since 1970
 */
export function isOpenAt({ weekly, timeZone }: Pick<SiteSeen, "weekly" | "timeZone">, atMs: number): boolean | undefined {
  if (weekly === undefined) return true;
  let localMs: number;
  try {
    localMs = clockOf(timeZone)(atMs);
  } catch {
    return undefined;
  }
  const inWeek = wrap(localMs + firstMs);
  return weekly.some(({ openDay, openMinute, closeDay, closeMinute }) => {
    const openMs = ((openDay - 1) * dayMinutes + openMinute) * minuteMs;
    const lengthMs = wrap(((closeDay - 1) * dayMinutes + closeMinute) * minuteMs - openMs) || weekMs;
    return wrap(inWeek - openMs) < lengthMs;
  });
}

function wrap(ms: number): number {
  return ((ms % weekMs) + weekMs) % weekMs;
}
