/** A period in which something fails, from the first failure until it has worked again for some time. */
export interface Outage {
  /** Whether the outage has begun and its end has not been reported yet. */
  readonly isOpen: boolean;
  /** Whether the last check failed. */
  readonly isFailing: boolean;
  /** Records a failure. `sinceMs`: when the outage began, if none is open. Default: now. */
  fails(sinceMs?: number): void;
  /** Records a success. */
  works(): void;
}

/** Thresholds and callbacks of an outage. Times are in ms. */
export interface OutageOptions {
  /** The clock, in ms. */
  now: () => number;
  /** How long it must have failed before the start is reported, asked at each failure. A shorter outage is reported once, at its end. */
  reportAfterMs: () => number;
  /** How long it must have worked before the outage is over, so that intermittent failures are one outage. */
  steadyMs: number;
  onStarted: (sinceMs: number) => void;
  /** Called once in {@link remindMs} while the outage goes on. */
  onOngoing: (sinceMs: number) => void;
  /** @param wasReported whether `onStarted` was called for this outage */
  onEnded: (sinceMs: number, untilMs: number, wasReported: boolean) => void;
}

/** Interval between reminders of an outage that goes on, in ms: frequent enough to show in the last page of the log, and no flood overnight. */
export const remindMs = 60_000;

/** Creates an outage that has not begun. */
export function createOutage({ now, reportAfterMs, steadyMs, onStarted, onOngoing, onEnded }: OutageOptions): Outage {
  let sinceMs: number | undefined;
  let worksSinceMs: number | undefined;
  let reportedMs: number | undefined;

  return {
    get isOpen() {
      return sinceMs !== undefined;
    },
    get isFailing() {
      return sinceMs !== undefined && worksSinceMs === undefined;
    },
    fails(beganMs = now()) {
      const nowMs = now();
      sinceMs ??= beganMs;
      worksSinceMs = undefined;
      if (reportedMs === undefined) {
        if (nowMs - sinceMs < reportAfterMs()) return;
        onStarted(sinceMs);
      } else {
        if (nowMs - reportedMs < remindMs) return;
        onOngoing(sinceMs);
      }
      reportedMs = nowMs;
    },
    works() {
      if (sinceMs === undefined) return;
      worksSinceMs ??= now();
      if (now() - worksSinceMs < steadyMs) return;
      onEnded(sinceMs, worksSinceMs, reportedMs !== undefined);
      sinceMs = undefined;
      worksSinceMs = undefined;
      reportedMs = undefined;
    },
  };
}

/** Formats a duration in ms as seconds, for log messages. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 1000 ? 2 : 1)} s`;
}
