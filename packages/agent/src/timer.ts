/** Runs something after a time in ms. @returns a function that cancels it */
export type After = (delayMs: number, run: () => void) => () => void;

/** {@link After} with the process's timers. */
export const afterByTimer: After = (delayMs, run) => {
  const timer = setTimeout(run, delayMs);
  return () => clearTimeout(timer);
};
