/** Runs a limited number of tasks at a time; the others wait in order. */
export interface ConcurrencyLimit {
  /** Runs the work when there is a free slot. If the signal is aborted by then, throws its reason instead. */
  run<Result>(work: () => Promise<Result>, signal?: AbortSignal): Promise<Result>;
}

/**
 * Creates a concurrency limit.
 *
 * @param limit Greatest number of tasks that run at a time, from 1.
 */
export function createConcurrencyLimit(limit: number): ConcurrencyLimit {
  const queue: (() => void)[] = [];
  let running = 0;
  return {
    async run(work, signal) {
      if (running >= limit) {
        // The task that ends passes its slot to the first in the queue.
        await new Promise<void>((resolve) => queue.push(resolve));
      } else {
        running++;
      }
      try {
        signal?.throwIfAborted();
        return await work();
      } finally {
        const next = queue.shift();
        if (next === undefined) running--;
        else next();
      }
    },
  };
}
