import { setFlagsFromString } from "node:v8";

/**
 * Sets up V8 for a process that serves: to be called once, at its beginning, by whoever has the process to itself.
 *
 * V8 looks where objects that were still there at a collection had been made, and from then on makes those of the same place among the old
 * ones, which are collected seldom and at great cost. It takes the answers of calls in hand for such objects. They are garbage a moment
 * later, all of them, and every few seconds the whole memory had to be gone through for them, while calls waited for tens of milliseconds.
 * Here nothing but caches grows old, and those are rarely written: the guess is switched off. docs/performance.md has the measurement.
 */
export function prepareServingProcess(): void {
  setFlagsFromString("--no-allocation-site-pretenuring");
}
