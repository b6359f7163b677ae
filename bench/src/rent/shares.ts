import type { Random } from "@petak/testkit";
import { median } from "../median.ts";

/** Processor time a call of the same work in turns that followed one another, without a special path and with it, in µs. */
export interface Pair {
  without: number;
  with: number;
}

/** What of the processor time a special path saves, as a share of the time without it, and an interval that holds it with 95 %. */
export interface Share {
  share: number;
  low: number;
  high: number;
  withoutMicros: number;
  withMicros: number;
}

const resamples = 2000;

/** How much of the pairs is left out at either end: other processes of the machine may double what a turn takes. */
const trimmedShare = 0.1;

/**
 * The share that a path saves: a trimmed mean over pairs. A process may be slower than another for as long as it lives, whatever it does; so the interval
 * comes of sittings, drawn with replacement, and of each one's pairs, drawn likewise (a bootstrap of clusters).
 *
 * @param sittings the pairs of each sitting, which had processes of its own
 */
export function savedShare(sittings: readonly (readonly Pair[])[], random: Random): Share {
  const ratios = sittings.map((pairs) => pairs.map((pair) => Math.log(pair.with / pair.without)));
  const drawn = Array.from({ length: resamples }, () => savedBy(ratios.flatMap(() => resampled(random.pick(ratios), random)))).toSorted(
    (a, b) => a - b,
  );
  const at = (share: number) => drawn[Math.min(resamples - 1, Math.floor(share * resamples))] ?? Number.NaN;
  const all = sittings.flat();
  return {
    share: savedBy(ratios.flat()),
    low: at(0.025),
    high: at(0.975),
    withoutMicros: median(all.map(({ without }) => without)),
    withMicros: median(all.map((pair) => pair.with)),
  };
}

function savedBy(logRatios: readonly number[]): number {
  const sorted = logRatios.toSorted((a, b) => a - b);
  const trimmed = Math.floor(sorted.length * trimmedShare);
  const kept = sorted.slice(trimmed, sorted.length - trimmed);
  return 1 - Math.exp(kept.reduce((sum, value) => sum + value, 0) / kept.length);
}

function resampled(values: readonly number[], random: Random): number[] {
  return values.map(() => random.pick(values));
}
