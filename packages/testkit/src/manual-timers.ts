import { createFrozenClock, type FrozenClock } from "./frozen-clock.ts";

/** A frozen clock with timers that run when it is moved past their time. */
export interface ManualTimers extends FrozenClock {
  /** Runs something after a time in ms. @returns a function that cancels it */
  readonly after: (delayMs: number, run: () => void) => () => void;
  /** Number of pending timers. */
  readonly waiting: () => number;
}

/** Makes manual timers. @param startMs ms since 1970; default as for {@link createFrozenClock} */
export function createManualTimers(startMs?: number): ManualTimers {
  const clock = createFrozenClock(startMs);
  const timers = new Map<symbol, { atMs: number; run: () => void }>();
  return {
    now: clock.now,
    set: clock.set,
    after(delayMs, run) {
      const id = Symbol();
      timers.set(id, { atMs: clock.now() + delayMs, run });
      return () => timers.delete(id);
    },
    advance(ms) {
      clock.advance(ms);
      for (const [id, { atMs, run }] of timers) {
        if (atMs > clock.now()) continue;
        timers.delete(id);
        run();
      }
    },
    waiting: () => timers.size,
  };
}
