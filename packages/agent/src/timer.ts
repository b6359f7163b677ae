/** Runs something after a time in ms. @returns a function that calls it off */
export type After = (delayMs: number, run: () => void) => () => void;

/** {@link After} by the process's own timers. */
export const afterByTimer: After = (delayMs, run) => {
  const timer = setTimeout(run, delayMs);
  return () => clearTimeout(timer);
};
