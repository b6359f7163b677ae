/** A clock that a test moves. Pass `clock.now` to code with an option `now: () => number`. */
export interface FrozenClock {
  /** Its time, in ms since 1970. */
  readonly now: () => number;
  /** Moves it. @param ms may be negative, for clocks that are set back */
  readonly advance: (ms: number) => void;
  /** Sets it to a time, in ms since 1970. */
  readonly set: (timeMs: number) => void;
}

/** 2026-06-01T00:00:00Z, far from any change of daylight saving time. */
const defaultStartMs = Date.UTC(2026, 5, 1);

/** Makes a frozen clock. @param startMs ms since 1970. Default: 2026-06-01T00:00:00Z */
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
