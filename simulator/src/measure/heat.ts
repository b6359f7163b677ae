import { longestMs } from "./latencies.ts";

const lowestMs = 0.1;
const perOctave = 4;

/**
 * Lower bounds in ms of the rows of a heat map of latencies, the first 0: four in each doubling from 0.1 ms to an hour. A row holds what is at least its bound and
 * below the next one.
 */
export const heatBoundsMs: readonly number[] = [
  0,
  ...Array.from({ length: Math.ceil(Math.log2(longestMs / lowestMs) * perOctave) + 1 }, (_, row) => lowestMs * 2 ** (row / perOctave)),
];

/** The row of a latency. */
export function heatRow(ms: number): number {
  if (ms < lowestMs) return 0;
  const row = 1 + Math.floor(Math.log2(ms / lowestMs) * perOctave);
  const last = heatBoundsMs.length - 1;
  if (row >= last) return last;
  // The logarithm may be off by its last digit at a bound.
  return ms >= (heatBoundsMs[row + 1] ?? Infinity) ? row + 1 : ms < (heatBoundsMs[row] ?? 0) ? row - 1 : row;
}
