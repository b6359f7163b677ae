import { AggregatorRegistry, Counter, Gauge, type MetricObjectWithValues, type MetricValue, Registry } from "prom-client";

/** The metrics of one registry, as they go from one process to another. */
export type MetricsSnapshot = readonly MetricObjectWithValues<MetricValue<string>>[];

/**
 * Adds up the metrics of several processes.
 *
 * What a process that has ended had counted is kept, because Prometheus takes a count that falls for one that began anew at 0, and would count all of the
 * others' calls once more. A process that does not answer counts with what it said last.
 */
export class AddedMetrics {
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;
  readonly #own = new Registry();
  readonly #answering = new Gauge({
    name: "petak_workers",
    help: "Worker processes that accept calls and answer.",
    registers: [this.#own],
  });
  readonly #wanted = new Gauge({ name: "petak_workers_wanted", help: "Worker processes that there should be.", registers: [this.#own] });
  readonly #deaths = new Counter({
    name: "petak_worker_deaths_total",
    help: "Worker processes that ended by themselves or could not start.",
    registers: [this.#own],
  });
  /** That of the first process, since workers come and go. */
  readonly #start = new Gauge({
    name: "process_start_time_seconds",
    help: "Start time of the process since unix epoch in seconds.",
    aggregator: "first",
    registers: [this.#own],
  });
  readonly #latest = new Map<number, MetricsSnapshot>();
  #ended: MetricsSnapshot = [];
  #ending = Promise.resolve();

  /** @param wanted how many processes there should be */
  constructor(wanted: number) {
    this.#wanted.set(wanted);
    this.#start.set(Math.round(performance.timeOrigin / 1000));
  }

  /** Takes what a process has counted. @param id a number that no other process ever has */
  take(id: number, snapshot: MetricsSnapshot): void {
    this.#latest.set(id, snapshot);
  }

  /** A process has ended by itself, or could not start. */
  died(): void {
    this.#deaths.inc();
  }

  /** A process has ended, however: its counts stay, its states go. Nothing may be taken of it any more. */
  ended(id: number): Promise<void> {
    this.#ending = this.#ending.then(async () => {
      const counts = this.#latest.get(id)?.filter(({ type }) => String(type) !== "gauge") ?? [];
      this.#ended = await sumOf([this.#ended, counts]).getMetricsAsJSON();
      this.#latest.delete(id);
    });
    return this.#ending;
  }

  /** The sums, in the text format of Prometheus. @param answering how many processes accept calls and answer */
  async text(answering: number): Promise<string> {
    await this.#ending;
    this.#answering.set(answering);
    return await sumOf([await this.#own.getMetricsAsJSON(), ...this.#latest.values(), this.#ended]).metrics();
  }
}

/** What the declarations of prom-client ask for has too few brackets. */
function sumOf(snapshots: readonly MetricsSnapshot[]): Registry {
  return AggregatorRegistry.aggregate(snapshots as object[]);
}
