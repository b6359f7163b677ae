/** A clock that stands still until it is told to move. Pass `clock.now` where the code under test takes `now: () => number`. */
export interface FrozenClock {
  /** The time it shows, in ms since 1970. */
  readonly now: () => number;
  /** Moves it on. @param ms may be negative, for clocks that are set back */
  readonly advance: (ms: number) => void;
  /** Sets it to a time, in ms since 1970. */
  readonly set: (timeMs: number) => void;
}

/** 2026-06-01T00:00:00Z: a day in the middle of things, with no change of the clocks anywhere near it. */
const defaultStartMs = Date.UTC(2026, 5, 1);

/** Makes a frozen clock. @param startMs ms since 1970; 2026-06-01T00:00:00Z, if left out */
export function createFrozenClock(startMs: number = defaultStartMs): FrozenClock {
  let timeMs = startMs;
  return {
    now: () => timeMs,
    advance: (ms) => {
      timeMs += ms;
    },
    set: (nextMs) => {
      timeMs = nextMs;
    },
  };
}
