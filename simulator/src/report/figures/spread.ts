import type { Distribution } from "../report.ts";

/** Counts whole numbers from 0 on, with exact percentiles. Its memory grows with the greatest number, not with how many there are. */
export class Spread {
  readonly #limit: number;
  #counts = new Float64Array(1024);
  #sum = 0;
  #count = 0;
  #max = 0;

  /** @param limit greater numbers count as this one */
  constructor(limit: number) {
    this.#limit = limit;
  }

  add(number: number): void {
    const value = Math.min(Math.max(Math.round(number), 0), this.#limit);
    if (value >= this.#counts.length) {
      const grown = new Float64Array(2 ** Math.ceil(Math.log2(value + 1)));
      grown.set(this.#counts);
      this.#counts = grown;
    }
    this.#counts[value] = (this.#counts[value] ?? 0) + 1;
    this.#sum += value;
    this.#count += 1;
    this.#max = Math.max(this.#max, value);
  }

  /** The share of numbers up to this one. Null without any. */
  shareUpTo(value: number): number | null {
    return share(this.#countOf(0, value + 1), this.#count);
  }

  /**
   * @param width of each interval of the histogram
   * @param intervals how many, before the last one, which has no end
   */
  distribution(width: number, intervals: number): Distribution {
    const histogram = Array.from({ length: intervals + 1 }, (_, interval) => {
      const from = interval * width;
      const to = interval === intervals ? null : from + width;
      const count = this.#countOf(from, to ?? this.#limit + 1);
      return { from, to, count, share: share(count, this.#count) };
    });
    return {
      count: this.#count,
      mean: share(this.#sum, this.#count),
      p50: this.#quantile(0.5),
      p90: this.#quantile(0.9),
      p99: this.#quantile(0.99),
      max: this.#count === 0 ? null : this.#max,
      histogram,
    };
  }

  #quantile(p: number): number | null {
    if (this.#count === 0) return null;
    let seen = 0;
    return this.#counts.findIndex((count) => {
      seen += count;
      return seen >= p * this.#count;
    });
  }

  #countOf(from: number, to: number): number {
    let count = 0;
    for (let value = from; value < Math.min(to, this.#counts.length); value++) count += this.#counts[value] ?? 0;
    return count;
  }
}

/** A part over the whole; null if the whole is nothing. */
export function share(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}
