import { drawExponential } from "../random/distributions.ts";
import type { Random } from "../random/random.ts";
import type { Rate } from "./rate.ts";

/**
 * Draws the times of a non-homogeneous Poisson process, in whole ms from the start, never decreasing: exponential gaps in expected arrivals, mapped to time by the
 * inverse of the integrated rate. So a greater rate gives the same arrivals, only denser.
 */
export function* drawArrivals(rate: Rate, random: Random): Generator<number, void, undefined> {
  for (let expected = drawExponential(random); expected < rate.total; expected += drawExponential(random)) {
    yield Math.min(Math.floor(rate.timeOf(expected)), rate.durationMs - 1);
  }
}
