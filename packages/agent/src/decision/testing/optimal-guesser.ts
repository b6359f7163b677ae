import { afterRightPin, afterWrongPin, type LockOut, noLockOut } from "../lock-out.ts";

/** Time step, in ms. All lock-outs are multiples of it, so finer steps would not help a guesser. */
const stepMs = 30_000;

const dayMs = 86_400_000;

/** Highest count that is distinguished; from here on the lock-out is the longest. */
const highestCount = 14;

/** Wait after which the count is reset, in ms. */
const quietMs = 3_600_000;

/**
 * The greatest number of PINs that an optimal guesser can try within a day, given a number of right PINs that others enter at the best times for the guesser.
 * Dynamic programming from the end of the day backwards over all sequences of trying, waiting and letting a right PIN be entered; the lock-out's own code
 * determines the waits.
 *
 * @param rightPinsMax greatest number of right PINs
 * @returns the number of tries for 0, 1, … `rightPinsMax` right PINs
 */
export function mostTriesADay(rightPinsMax: number): number[] {
  const steps = dayMs / stepMs;
  const counts = highestCount + 1;
  const rights = rightPinsMax + 1;
  /** Most tries from a step on, by the count and the number of right PINs left, while PINs are accepted. */
  const best = new Uint16Array((steps + 1) * counts * rights);
  const at = (step: number, count: number, right: number) => (step * counts + count) * rights + right;

  for (let step = steps - 1; step >= 0; step -= 1) {
    for (let right = 0; right < rights; right += 1) {
      // High counts first: a try without a wait leads to the next higher count within the same step.
      for (let count = highestCount; count >= 0; count -= 1) {
        const tried = tryAt(count);
        const waitSteps = Math.ceil((tried.lockedUntilMs - tried.lastFailureMs) / stepMs);
        const goOn = best[at(Math.min(steps, step + waitSteps), Math.min(tried.failures, highestCount), right)] ?? 0;
        const waitAnHour = best[at(Math.min(steps, step + quietMs / stepMs), 0, right)] ?? 0;
        const taken = afterRightPin({ ...tried, failures: count }).failures;
        const letOneCome = right === 0 ? 0 : (best[at(step, taken, right - 1)] ?? 0);
        best[at(step, count, right)] = Math.max(1 + goOn, 1 + waitAnHour, letOneCome);
      }
    }
  }
  return Array.from({ length: rights }, (_, right) => best[at(0, 0, right)] ?? 0);
}

/** The lock-out after a try at a count. */
function tryAt(count: number): LockOut {
  return afterWrongPin({ ...noLockOut, failures: count, lastFailureMs: dayMs }, dayMs);
}
