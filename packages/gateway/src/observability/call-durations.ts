import type { MetricValueWithName } from "prom-client";

/** Labels of a call. Every label has few values. */
export interface CallLabels {
  method: string;
  protocol: string;
  code: string;
}

type Label = keyof CallLabels | "le";

/** The calls of one method, protocol and code. */
interface Series {
  labels: CallLabels;
  /** Calls by bucket. The last element counts calls beyond the last bound. */
  counts: Float64Array;
  sumS: number;
}

/**
 * Histogram of call durations in seconds. A registry reads it like a histogram of prom-client. Counting takes a tenth of the time, because prom-client
 * validates the labels and sorts them into a key at every observation.
 */
export class CallDurations {
  readonly name: string;
  readonly help: string;
  readonly type = "histogram";
  readonly aggregator = "sum";
  readonly #boundsS: readonly number[];
  /** By method, then by code, then by protocol. */
  readonly #series = new Map<string, Map<string, Map<string, Series>>>();

  /** @param options `bucketsS`: the upper bounds of the buckets, ascending, in seconds. */
  constructor({ name, help, bucketsS }: { name: string; help: string; bucketsS: readonly number[] }) {
    this.name = name;
    this.help = help;
    this.#boundsS = bucketsS;
  }

  /** Counts a call. */
  count(method: string, protocol: string, code: string, durationS: number): void {
    const series = this.#series.get(method)?.get(code)?.get(protocol) ?? this.#begin({ method, protocol, code });
    const bounds = this.#boundsS;
    let bucket = 0;
    while (bucket < bounds.length && durationS > (bounds[bucket] ?? 0)) bucket += 1;
    series.counts[bucket] = (series.counts[bucket] ?? 0) + 1;
    series.sumS += durationS;
  }

  /** The counts in the format of a prom-client registry. */
  get(): Promise<{ name: string; help: string; type: string; aggregator: string; values: MetricValueWithName<Label>[] }> {
    const values: MetricValueWithName<Label>[] = [];
    for (const byCode of this.#series.values()) {
      for (const byProtocol of byCode.values()) for (const series of byProtocol.values()) this.#write(series, values);
    }
    return Promise.resolve({ name: this.name, help: this.help, type: this.type, aggregator: this.aggregator, values });
  }

  /** Resets all counts. */
  reset(): void {
    this.#series.clear();
  }

  #begin(labels: CallLabels): Series {
    const series = { labels, counts: new Float64Array(this.#boundsS.length + 1), sumS: 0 };
    const byCode = this.#series.get(labels.method) ?? new Map<string, Map<string, Series>>();
    const byProtocol = byCode.get(labels.code) ?? new Map<string, Series>();
    this.#series.set(labels.method, byCode.set(labels.code, byProtocol.set(labels.protocol, series)));
    return series;
  }

  #write({ labels, counts, sumS }: Series, values: MetricValueWithName<Label>[]): void {
    let total = 0;
    for (const [index, count] of counts.entries()) {
      total += count;
      values.push({ metricName: `${this.name}_bucket`, labels: { le: this.#boundsS[index] ?? "+Inf", ...labels }, value: total });
    }
    values.push({ metricName: `${this.name}_sum`, labels, value: sumS });
    values.push({ metricName: `${this.name}_count`, labels, value: total });
  }
}
