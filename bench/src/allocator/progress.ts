/** Prints a line about the progress. */
export type Say = (line: string) => void;

/** Interval between two progress lines, in ms. */
const intervalMs = 2000;

/** Prints the progress of work of known length from time to time; nothing if it is done at once. */
export function createProgress(say: Say, what: string, total: number): (done: number) => void {
  let saidMs = performance.now();
  return (done) => {
    const nowMs = performance.now();
    if (nowMs - saidMs < intervalMs) return;
    saidMs = nowMs;
    say(`${what}: ${done} of ${total}`);
  };
}
