import { build, type Histogram } from "hdr-histogram-js";

/** The longest latency that is told apart, in ms: an hour. */
export const longestMs = 3_600_000;
const longestUs = longestMs * 1000;

/** Main percentiles, in ms. All 0 where nothing was recorded. */
export interface Percentiles {
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
}

/** Latencies from 1 µs to one hour, in a histogram of bounded size: shorter ones count as 1 µs, longer ones as an hour. */
export class Latencies {
  readonly #histogram: Histogram;

  /** @param digits decimal digits that are kept: 3 (up to 94 KB) or 2 (up to 14 KB). */
  constructor(digits: 2 | 3) {
    // JavaScript rather than WebAssembly: that has one memory for all, from which histograms must be freed by hand, and recording is cheap enough.
    this.#histogram = build({ bitBucketSize: 32, autoResize: true, numberOfSignificantValueDigits: digits, useWebAssembly: false });
  }

  get count(): number {
    return this.#histogram.totalCount;
  }

  record(ms: number): void {
    this.#histogram.recordValue(Math.min(longestUs, Math.max(1, Math.round(ms * 1000))));
  }

  add(other: Latencies): void {
    this.#histogram.add(other.#histogram);
  }

  /** @param other what was recorded here before, too */
  subtract(other: Latencies): void {
    this.#histogram.subtract(other.#histogram);
  }

  /** The latency in ms that `percent` of the recorded ones do not exceed; 0 if there are none. Exact to the digits kept, and for 100 exact. */
  percentileMs(percent: number): number {
    if (this.count === 0) return 0;
    return Math.min(this.#histogram.getValueAtPercentile(percent), this.#histogram.maxValue) / 1000;
  }

  percentiles(): Percentiles {
    return {
      p50Ms: this.percentileMs(50),
      p90Ms: this.percentileMs(90),
      p99Ms: this.percentileMs(99),
      p999Ms: this.percentileMs(99.9),
      maxMs: this.percentileMs(100),
    };
  }

  /**
   * The curve of an HDR plot: percentiles and their latencies in ms, five steps in each half of the remaining distance to 100, as far as there are
   * latencies to tell them apart, and last 100 with the greatest.
   */
  curve(): [percent: number, ms: number][] {
    const points: [number, number][] = [];
    const steps = 5;
    for (let rest = 1; rest * this.count >= 1; rest /= 2) {
      for (let step = 0; step < steps; step++) {
        const percent = 100 * (1 - rest * (1 - step / (2 * steps)));
        points.push([percent, this.percentileMs(percent)]);
      }
    }
    if (this.count > 0) points.push([100, this.percentileMs(100)]);
    return points;
  }
}
