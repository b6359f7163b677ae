/** Pauses before a worker that ended by itself is replaced, in ms, by how often it has failed in a row. The last one holds from then on. */
const pausesMs = [0, 1000, 2000, 5000, 10_000, 30_000] as const;

/** How long a worker must have served for its end to count as the first one, in ms. */
const steadyMs = 60_000;

/** Counts how often a worker and those that replaced it have failed in a row. */
export class RestartPauses {
  #failures = 0;

  /** How long to wait before the next start, in ms. @param servedMs how long the one that ended had served; 0: it could not start */
  after(servedMs: number): number {
    this.#failures = servedMs < steadyMs ? this.#failures + 1 : 0;
    return pausesMs[Math.min(this.#failures, pausesMs.length - 1)] ?? 0;
  }
}
