import { createFrozenClock, type FrozenClock } from "@petak/testkit";
import type { After } from "../timers.ts";

/** A clock that stands still, and timers that run when it is moved over their time. */
export interface ManualTimers extends Omit<FrozenClock, "set"> {
  readonly after: After;
}

/** Makes manual timers. */
export function createManualTimers(startMs?: number): ManualTimers {
  const clock = createFrozenClock(startMs);
  const timers = new Map<symbol, { atMs: number; run: () => void }>();
  return {
    now: clock.now,
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
  };
}
