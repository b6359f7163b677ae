import { setTimeout as delay } from "node:timers/promises";
import { CallFailed } from "../actors/calls.ts";
import type { DrivenClock } from "./driven-clock.ts";
import { isOver, type Stage } from "./stage.ts";

const hourMs = 3_600_000;

/** Pause before the clock is moved once more, in ms. */
const repeatMs = 200;

/** Acts in progress at a time. */
const actsMax = 16;

/**
 * Plays a trace on the gateway's test clock, step by step: the clock is moved, the couriers read their feeds if that changed anything, and every hour in any case,
 * and everything that has become due is done. Steps in which nothing is due are skipped, an hour at most at a time.
 */
export async function playDriven(stage: Stage, clock: DrivenClock, stepMs: number): Promise<void> {
  const { agenda, source, city, signal } = stage;
  let planMs = 0;
  let changed = 0;
  let nextHourMs = hourMs;
  while (!signal.aborted) {
    await stage.fill(planMs);
    const isHour = planMs >= nextHourMs;
    if (isHour || changed > 0 || isAnyQueued(stage)) await stage.readFeeds(planMs);
    // What was done may have freed the place that somebody waits for, which is not kept for long.
    while ((await doAll(stage, planMs)) && isAnyQueued(stage)) await stage.readFeeds(planMs);
    if (isHour) {
      nextHourMs = planMs + hourMs;
      await stage.sample();
    }
    if (isOver(stage)) return;
    const dueMs = Math.min(agenda.nextMs, source.nextMs, planMs + hourMs);
    // The clock also goes on by itself.
    planMs = Math.max(planMs + stepMs, Math.floor(dueMs / stepMs) * stepMs, clock.planMs());
    stage.limitsPass(planMs);
    changed = await moveTo(stage, clock, planMs);
    await city.doors.settled();
  }
}

/** Moves the clock, again and again if the gateway does not answer, until the run is over for that. Returns how many reservations changed. */
async function moveTo({ city, signal }: Stage, clock: DrivenClock, planMs: number): Promise<number> {
  while (!signal.aborted) {
    try {
      const changed = await clock.moveTo(planMs);
      city.contact.reached();
      return changed;
    } catch (error) {
      city.contact.failed(new CallFailed(error).outcome);
      await delay(repeatMs, undefined, { signal }).catch(() => undefined);
    }
  }
  return 0;
}

/** Whether anybody waits for a place. */
function isAnyQueued({ city }: Stage): boolean {
  return city.lives.open.values().some(({ phase }) => phase === "queued");
}

/** Does everything that is due by a time, and what follows from it by then. Returns whether there was anything. */
async function doAll({ agenda, crew, city, signal }: Stage, planMs: number): Promise<boolean> {
  const hasAny = agenda.nextMs <= planMs;
  while (!signal.aborted) {
    while (crew.size < actsMax) {
      const planned = agenda.take(planMs);
      if (planned === undefined) break;
      crew.start(planned, city.doneMs);
    }
    if (crew.size === 0) return hasAny;
    await crew.one();
  }
  return false;
}
