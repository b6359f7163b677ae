import { localClock } from "@petak/simulator";
import { usageFailure } from "../failure.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** A period of the city's time. */
export interface Period {
  /** Ms since 1970. */
  startMs: number;
  durationMs: number;
}

/** Most days of a run. */
export const mostDays = 366;

/**
 * The period of a run: so many days from midnight of a date in a time zone.
 *
 * @param from e.g. `2026-11-11`. Undefined: the first midnight that is not before `nowMs`
 * @param days above 0; parts of days are allowed
 * @throws CliFailure if the date is none
 */
export function periodOf({
  from,
  days,
  timeZone,
  nowMs,
}: {
  from: string | undefined;
  days: number;
  timeZone: string;
  nowMs: number;
}): Period {
  const toLocalMs = localClock(timeZone);
  const durationMs = Math.round(days * dayMs);
  if (from !== undefined) return { startMs: midnightOf(parseDate(from), toLocalMs), durationMs };
  const today = Math.floor(toLocalMs(nowMs) / dayMs) * dayMs;
  const startMs = midnightOf(today, toLocalMs);
  return { startMs: startMs >= nowMs ? startMs : midnightOf(today + dayMs, toLocalMs), durationMs };
}

function parseDate(text: string): number {
  const ms = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  if (ms >= Date.UTC(2000, 0, 1) && ms < Date.UTC(2100, 0, 1) && new Date(ms).toISOString().startsWith(text)) return ms;
  throw usageFailure(`--from "${text}" is no date between the years 2000 and 2100: write e.g. 2026-11-11.`);
}

/** The instant at which a local day begins. @param localMs its midnight, as if local time were UTC */
function midnightOf(localMs: number, toLocalMs: (utcMs: number) => number): number {
  // No zone is more than 14 hours from UTC. A day that begins after midnight, since the clock was put forward then, begins at its first quarter hour.
  for (let utcMs = localMs - 14 * hourMs; ; utcMs += hourMs / 4) if (toLocalMs(utcMs) >= localMs) return utcMs;
}
