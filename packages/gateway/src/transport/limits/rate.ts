/** When something may next be done for somebody, on some clock in ms. */
export interface Pace {
  dueMs: number;
}

/** How often something may be done. */
export interface Rate {
  readonly everyMs: number;
  /** What may be done at once after a pause, in ms of its rate, beside the first. */
  readonly burstMs: number;
  /** The longest wait, in ms: what is done in spite of it prolongs it no further, and neither does a clock that is set back. */
  readonly waitMaxMs: number;
}

/** Returns the rate of one each `everyMs`, and of `atOnce` after a pause. */
export function rateOf({ everyMs, atOnce, waitMaxMs = everyMs }: { everyMs: number; atOnce: number; waitMaxMs?: number }): Rate {
  return { everyMs, burstMs: Math.max(0, (atOnce - 1) * everyMs), waitMaxMs };
}

/** Returns the wait until one more may be done, in ms. 0: now. */
export function waitMs({ dueMs }: Pace, { waitMaxMs }: Rate, nowMs: number): number {
  return Math.min(Math.max(0, dueMs - nowMs), waitMaxMs);
}

/** Counts one. */
export function count(pace: Pace, { everyMs, burstMs, waitMaxMs }: Rate, nowMs: number): void {
  pace.dueMs = Math.min(Math.max(pace.dueMs, nowMs - burstMs) + everyMs, nowMs + waitMaxMs);
}
