/** Tells whoever waits what is going on. */
export type Say = (line: string) => void;

/** How often a long work says how far it is, in ms. */
const intervalMs = 2000;

/** Says how far a work of known length is, now and then: nothing where it is done at once. */
export function createProgress(say: Say, what: string, total: number): (done: number) => void {
  let saidMs = performance.now();
  return (done) => {
    const nowMs = performance.now();
    if (nowMs - saidMs < intervalMs) return;
    saidMs = nowMs;
    say(`${what}: ${done} of ${total}`);
  };
}
