import { count, type Pace, rateOf, waitMs } from "./rate.ts";

/** Options of {@link createPacer}. */
export interface PacerOptions {
  /** How often a second. */
  perSecond: number;
  /** Those that wait at once, over all callers. */
  waitingMax: number;
  /** The longest wait, in ms. Default 10,000: what would wait longer waits so long, since a client that is told nothing takes nothing. */
  waitMaxMs?: number;
  /** The clock, in ms. Default `performance.now`. */
  now?: () => number;
}

/** Spreads what callers cause too often over time, so that whoever asks in a loop waits instead of taking the processor from others. */
export interface Pacer {
  /** Counts one more for a caller, and returns how long it has to wait, in ms: 0 if the caller had a second's worth left. */
  delayMs(pace: Pace): number;
  /**
   * Calls `run` after a delay. Returns a function that cancels it, or undefined if too many wait already: then nothing is called.
   */
  after(delayMs: number, run: () => void): (() => void) | undefined;
  /** How many wait. */
  readonly waiting: number;
}

/** Delays are multiples of this, in ms, so that few timers serve many. */
const stepMs = 50;

/** Creates a pacer. Each caller may have a second's worth at once, and then one after the other. */
export function createPacer({ perSecond, waitingMax, waitMaxMs = 10_000, now = () => performance.now() }: PacerOptions): Pacer {
  const rate = rateOf({ everyMs: 1000 / perSecond, atOnce: perSecond, waitMaxMs });
  let waiting = 0;
  return {
    get waiting() {
      return waiting;
    },
    delayMs(pace) {
      const nowMs = now();
      const delayMs = waitMs(pace, rate, nowMs);
      count(pace, rate, nowMs);
      return Math.ceil(delayMs / stepMs) * stepMs;
    },
    after(delayMs, run) {
      if (waiting >= waitingMax) return undefined;
      waiting += 1;
      const timer = setTimeout(() => {
        waiting -= 1;
        isOver = true;
        run();
      }, delayMs).unref();
      let isOver = false;
      return () => {
        if (isOver) return;
        isOver = true;
        waiting -= 1;
        clearTimeout(timer);
      };
    },
  };
}
