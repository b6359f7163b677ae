import type { MinuteSpan, OpeningTimes } from "./opening-times.ts";
import { findTimeZone } from "./time-zone.ts";

const minuteMs = 60_000;
const dayMs = 86_400_000;

/** Whether a site with these hours is open at an instant, in ms since 1970. False for an unknown time zone. */
export function isOpenAt(times: OpeningTimes, atMs: number): boolean {
  const zone = findTimeZone(times.timeZone);
  if (zone === undefined) return false;
  const localMs = atMs + zone.offsetMs(atMs);
  const day = Math.floor(localMs / dayMs);
  const minute = (localMs - day * dayMs) / minuteMs;
  return spansOfDay(times, day).some(([from, to]) => from <= minute && minute < to);
}

/** Total time for which a site with these hours is open within [fromMs, toMs), in ms. 0 for an unknown time zone. */
export function openMsWithin(times: OpeningTimes, fromMs: number, toMs: number): number {
  let openMs = 0;
  for (const span of findTimeZone(times.timeZone)?.spans(fromMs, toMs) ?? []) {
    // Within one offset, local time advances like UTC.
    const wallFromMs = span.fromMs + span.offsetMs;
    const wallToMs = span.toMs + span.offsetMs;
    for (let day = Math.floor(wallFromMs / dayMs); day * dayMs < wallToMs; day++) {
      for (const [from, to] of spansOfDay(times, day)) {
        const beginMs = Math.max(wallFromMs, day * dayMs + from * minuteMs);
        openMs += Math.max(0, Math.min(wallToMs, day * dayMs + to * minuteMs) - beginMs);
      }
    }
  }
  return openMs;
}

function spansOfDay({ week, exceptions }: OpeningTimes, day: number): readonly MinuteSpan[] {
  // Day 0 was a Thursday.
  return exceptions.get(day) ?? week[(((day + 3) % 7) + 7) % 7] ?? [];
}
