/** Runs something after a time in ms, unless the function that it gives is called before. */
export type After = (delayMs: number, run: () => void) => () => void;

/** The longest that a timer of Node can wait, in ms. */
const timerMaxMs = 2 ** 31 - 1;

/** {@link After} by the process's own timers. */
export const afterByTimer: After = (delayMs, run) => {
  const timer = setTimeout(run, Math.min(delayMs, timerMaxMs));
  return () => clearTimeout(timer);
};
