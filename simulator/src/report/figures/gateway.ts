import type { SeriesSummary } from "../../measure/summary.ts";
import type { GatewayFigures } from "../report.ts";

type Unit = GatewayFigures["series"][number]["unit"];

interface Shown {
  readonly name: string;
  readonly title: string;
  readonly unit: Unit;
  /** A counter: shown as what it grows by in a second. */
  readonly isCounter?: true;
}

/** The metrics that a report shows, summed over their labels. */
const shown: readonly Shown[] = [
  { name: "petak_rpc_duration_seconds_count", title: "Calls answered", unit: "perSecond", isCounter: true },
  { name: "petak_rpc_in_flight", title: "Calls in progress", unit: "number" },
  { name: "petak_rpc_shed_total", title: "Calls refused as overload", unit: "perSecond", isCounter: true },
  { name: "process_cpu_seconds_total", title: "Processor time, in cores", unit: "number", isCounter: true },
  { name: "process_resident_memory_bytes", title: "Memory", unit: "bytes" },
  { name: "nodejs_eventloop_lag_p99_seconds", title: "Event loop lag, p99", unit: "seconds" },
  { name: "petak_store_fill_ratio", title: "Fill of the store", unit: "share" },
  { name: "petak_connections", title: "Open connections", unit: "number" },
];

/** The gateway's own metrics over the run, of those that {@link shown} lists and the gateway has. */
export function gatewayFigures({ columns }: SeriesSummary): GatewayFigures {
  const samples = columns.flatMap(({ fromMs, metrics }) => (metrics === undefined ? [] : [{ fromMs, metrics: sumOverLabels(metrics) }]));
  const atMs = samples.map(({ fromMs }) => fromMs);
  const series = shown.flatMap(({ name, title, unit, isCounter }) => {
    const levels = samples.map(({ metrics }) => metrics.get(name) ?? null);
    if (levels.every((level) => level === null)) return [];
    const values = isCounter ? growthPerSecond(levels, atMs) : levels;
    const known = values.filter((value) => value !== null);
    return [{ name, title, unit, max: known.length === 0 ? null : Math.max(...known), last: known.at(-1) ?? null, values }];
  });
  return { atMs, series };
}

function sumOverLabels(metrics: { readonly [series: string]: number }): Map<string, number> {
  const sums = new Map<string, number>();
  for (const [series, value] of Object.entries(metrics)) {
    const name = series.split("{", 1)[0] ?? series;
    sums.set(name, (sums.get(name) ?? 0) + value);
  }
  return sums;
}

/** Null for the first sample, and after a restart of the gateway. */
function growthPerSecond(levels: readonly (number | null)[], atMs: readonly number[]): (number | null)[] {
  return levels.map((level, index) => {
    const [before, seconds] = [levels[index - 1] ?? null, ((atMs[index] ?? 0) - (atMs[index - 1] ?? 0)) / 1000];
    return level === null || before === null || level < before || seconds <= 0 ? null : (level - before) / seconds;
  });
}
