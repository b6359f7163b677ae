import { ln } from "./portable-math.ts";
import type { Random } from "./random.ts";

/** A draw from the exponential distribution with mean 1. */
export function drawExponential(random: Random): number {
  return -ln(1 - random.next());
}

/** A uniform number in (0, 1), never at an end. */
export function drawInside(random: Random): number {
  return random.next() + 2 ** -33;
}

/** An index, with a probability proportional to its share: the first whose cumulative share exceeds `u` of the sum. */
export function pickByShare(shares: readonly number[], u: number): number {
  let rest = u * shares.reduce((sum, share) => sum + share, 0);
  for (const [index, share] of shares.entries()) {
    rest -= share;
    if (rest < 0) return index;
  }
  return shares.findLastIndex((share) => share > 0);
}

const a = [-39.6968302866538, 220.946098424521, -275.928510446969, 138.357751867269, -30.6647980661472, 2.50662827745924];
const b = [-54.4760987982241, 161.585836858041, -155.698979859887, 66.8013118877197, -13.2806815528857, 1];
const c = [-0.00778489400243029, -0.322396458041136, -2.40075827716184, -2.54973253934373, 4.37466414146497, 2.93816398269878];
const d = [0.00778469570904146, 0.32246712907004, 2.445134137143, 3.75440866190742, 1];

/**
 * The number below which a standard normal variable lies with probability `p`. Relative error below 1.2e-9 (P. J. Acklam's rational approximation, 2003).
 *
 * @param p in (0, 1)
 */
export function normalQuantile(p: number): number {
  if (p > 0.97575) return -normalQuantile(1 - p);
  if (p < 0.02425) {
    const q = Math.sqrt(-2 * ln(p));
    return horner(c, q) / horner(d, q);
  }
  const q = p - 0.5;
  return (horner(a, q * q) * q) / horner(b, q * q);
}

function horner(coefficients: readonly number[], x: number): number {
  let sum = 0;
  for (const coefficient of coefficients) sum = sum * x + coefficient;
  return sum;
}
