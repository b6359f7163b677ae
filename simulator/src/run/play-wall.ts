import { setTimeout as delay } from "node:timers/promises";
import { isOver, type Stage } from "./stage.ts";

/** How far ahead intentions are read, in ms. */
const aheadMs = 1000;

/** How often feeds are read, and counts at most, in ms. */
const feedMs = 1000;
const sampleMs = 10_000;

const hourMs = 3_600_000;

export interface WallOptions {
  readonly speed: number;
  /** Beyond so many acts in progress no intention is begun. */
  readonly inFlightMax: number;
  /** Until when the run goes on at most, in ms of the trace. */
  readonly untilMs: number;
  /** Resolves when something was put into the agenda that is due before everything else. */
  readonly earlier: () => Promise<void>;
}

/**
 * Plays a trace by this machine's monotonic clock. Nothing waits for anything else: what is due is begun, however slow the gateway is. What was due by the end and
 * was not begun, because this machine was late, is dropped.
 */
export async function playWall(stage: Stage, { speed, inFlightMax, untilMs, earlier }: WallOptions): Promise<void> {
  const { agenda, crew, source, city, signal } = stage;
  const planNow = () => city.doneMs() * speed;
  const ended = new AbortController();
  const stop = AbortSignal.any([signal, ended.signal]);
  const background = Promise.all([
    every(feedMs, stop, () => {
      stage.limitsPass();
      return stage.readFeeds(planNow());
    }),
    every(Math.min(sampleMs, Math.max(feedMs, hourMs / speed)), stop, () => stage.sample()),
  ]);
  // A defect there ends the run too.
  background.catch(() => ended.abort());
  try {
    while (!stop.aborted && !(isOver(stage) && crew.size === 0) && planNow() < untilMs) {
      await stage.fill(planNow() + aheadMs * speed);
      for (let planned = agenda.take(planNow()); planned !== undefined; planned = agenda.take(planNow())) {
        const dueMs = planned.planMs / speed;
        if (planned.drop !== undefined && crew.size >= inFlightMax) planned.drop();
        else crew.start(planned, () => dueMs);
      }
      const nextMs = Math.min(agenda.nextMs, source.nextMs - aheadMs * speed, planNow() + aheadMs * speed);
      await untilDue(nextMs / speed - city.doneMs(), earlier(), stop);
    }
    const endMs = Math.min(planNow(), untilMs);
    await stage.fill(endMs);
    for (let planned = agenda.take(endMs); planned !== undefined; planned = agenda.take(endMs)) planned.drop?.();
  } finally {
    ended.abort();
    await background;
  }
}

async function every(intervalMs: number, signal: AbortSignal, run: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await run();
    await delay(intervalMs, undefined, { signal }).catch(() => undefined);
  }
}

/**
 * Waits for a time in ms, or until something is due before or the run stops. The last part of a ms is turns of the event loop: timers have whole ones.
 */
async function untilDue(waitMs: number, earlier: Promise<void>, stop: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    if (waitMs < 1) {
      setImmediate(resolve);
      return;
    }
    const wake = () => {
      clearTimeout(timer);
      stop.removeEventListener("abort", wake);
      resolve();
    };
    const timer = setTimeout(wake, Math.floor(waitMs));
    stop.addEventListener("abort", wake);
    void earlier.then(wake);
  });
}
