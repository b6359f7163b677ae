/** Runs a function after a delay in ms. Returns a function that cancels it. */
export type After = (delayMs: number, run: () => void) => () => void;

/** Longest delay of a Node timer, in ms. */
const timerMaxMs = 2 ** 31 - 1;

/** {@link After} with Node's timers. */
export const afterByTimer: After = (delayMs, run) => {
  const timer = setTimeout(run, Math.min(delayMs, timerMaxMs));
  return () => clearTimeout(timer);
};
