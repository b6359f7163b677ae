import { normalQuantile } from "../random/distributions.ts";
import { exp, ln } from "../random/portable-math.ts";

/** A distribution of stays: the stay, in whole ms, that is not exceeded with probability `u`, in (0, 1). */
export type Stays = (u: number) => number;

/** The standard normal variable is below this with probability 0.9. */
const ninetieth = 1.2815515655446004;

/**
 * Lognormal stays.
 *
 * @param medianMs at least 1
 * @param p90Ms at least the median
 * @param longestMs longer stays are cut to this
 * @throws RangeError
 */
export function lognormalStays({ medianMs, p90Ms, longestMs }: { medianMs: number; p90Ms: number; longestMs: number }): Stays {
  if (!(medianMs >= 1 && p90Ms >= medianMs && longestMs >= medianMs && longestMs < Number.MAX_SAFE_INTEGER)) {
    throw new RangeError(`stays need 1 ≤ median ≤ p90 and median ≤ longest in ms, not ${medianMs}, ${p90Ms} and ${longestMs}`);
  }
  const mean = ln(medianMs);
  const deviation = (ln(p90Ms) - mean) / ninetieth;
  return (u) => Math.min(longestMs, Math.round(exp(mean + deviation * normalQuantile(u))));
}

/**
 * Stays as they were observed: each observation is as likely as any other.
 *
 * @param observedMs at least one whole number of at least 0
 * @throws RangeError
 */
export function empiricalStays(observedMs: readonly number[]): Stays {
  const wrong = observedMs.find((ms) => !Number.isSafeInteger(ms) || ms < 0);
  if (observedMs.length === 0 || wrong !== undefined)
    throw new RangeError(`stays are whole numbers of ms, at least one, not ${wrong ?? "none"}`);
  const sorted = observedMs.toSorted((a, b) => a - b);
  return (u) => sorted[Math.min(sorted.length - 1, Math.floor(u * sorted.length))] as number;
}
