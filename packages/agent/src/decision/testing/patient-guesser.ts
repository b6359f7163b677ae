import { afterRightPin, afterWrongPin, type LockOut, noLockOut } from "../lock-out.ts";

/** Every wait of the lock-out is a multiple of this, in ms, so a guesser gains nothing by finer steps. */
const stepMs = 30_000;

/** A day, in ms. */
const dayMs = 86_400_000;

/** From this count on the lock-out is the longest: higher ones are the same to a guesser, but for what right PINs take back. */
const highestCount = 14;

/** A guesser who waits so long starts with a new count, in ms. */
const quietMs = 3_600_000;

/**
 * How many PINs the cleverest guesser can try within one day, by the number of right PINs that come whenever it suits the guesser: the best
 * of all plans, found from the end of the day backwards. A plan may try, let a right PIN come, or wait, in any order; the answers of the
 * lock-out are those of the code itself.
 *
 * @param rightPinsMax up to how many right PINs
 * @returns the number of tries for 0, 1, … `rightPinsMax` right PINs
 */
export function mostTriesADay(rightPinsMax: number): number[] {
  const steps = dayMs / stepMs;
  const counts = highestCount + 1;
  const rights = rightPinsMax + 1;
  /** The most tries from a step on, with a count and so many right PINs to come, where PINs are looked at. */
  const best = new Uint16Array((steps + 1) * counts * rights);
  const at = (step: number, count: number, right: number) => (step * counts + count) * rights + right;

  for (let step = steps - 1; step >= 0; step -= 1) {
    for (let right = 0; right < rights; right += 1) {
      // High counts first: a try that costs no wait leads to the next higher count within the same step.
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

/** The state after a try at a count, from the code that decides at the door. */
function tryAt(count: number): LockOut {
  return afterWrongPin({ ...noLockOut, failures: count, lastFailureMs: dayMs }, dayMs);
}
