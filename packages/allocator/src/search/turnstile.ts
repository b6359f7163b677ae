/** Lets a few pieces of work in at a time; the others wait in line. */
export interface Turnstile {
  /** Does the work when its turn has come. Who gives up meanwhile leaves the line: the signal's reason is thrown then. */
  pass<Result>(work: () => Promise<Result>, signal?: AbortSignal): Promise<Result>;
}

/** Makes a turnstile. @param places how many are in at a time, from 1 */
export function createTurnstile(places: number): Turnstile {
  const line: (() => void)[] = [];
  let inside = 0;
  return {
    async pass(work, signal) {
      if (inside >= places) {
        // Whoever leaves hands its place to the first in line.
        await new Promise<void>((resolve) => line.push(resolve));
      } else {
        inside++;
      }
      try {
        signal?.throwIfAborted();
        return await work();
      } finally {
        const next = line.shift();
        if (next === undefined) inside--;
        else next();
      }
    },
  };
}
