import { readMetrics } from "./metrics-text.ts";

/** The gateway's metrics that a run keeps, and the labels by which: samples that differ in others only are added up, as `sum by (…)` does. */
const kept: ReadonlyMap<string, readonly string[]> = new Map([
  ["process_cpu_seconds_total", []],
  ["process_resident_memory_bytes", []],
  ["nodejs_heap_size_used_bytes", []],
  ["nodejs_eventloop_lag_p99_seconds", []],
  ["nodejs_eventloop_lag_max_seconds", []],
  ["nodejs_gc_duration_seconds_sum", []],
  ["petak_rpc_duration_seconds_count", ["code"]],
  ["petak_rpc_duration_seconds_sum", ["code"]],
  ["petak_rpc_in_flight", ["kind"]],
  ["petak_rpc_shed_total", []],
  ["petak_rpc_share_refusals_total", ["kind"]],
  ["petak_connections", []],
  ["petak_connections_closed_total", ["reason"]],
  ["petak_signature_checks_total", []],
  ["petak_redis_up", []],
  ["petak_redis_rejects_writes", ["reason"]],
  ["petak_redis_connection_errors_total", []],
  ["petak_store_fill_ratio", []],
  ["petak_store_refuses_growth", []],
  ["petak_archive_lag_seconds", []],
]);

/** Most series of a sample, and the longest label value: the gateway may be a stranger's. */
const mostSeries = 100;
const longestLabel = 60;

/** The kept series of a text of `/metrics`: name and labels, e.g. `petak_rpc_in_flight{kind="unary"}`, and value. */
export function keptMetrics(text: string): { [series: string]: number } {
  const values = new Map<string, number>();
  for (const { name, labels, value } of readMetrics(text, (wanted) => kept.has(wanted))) {
    const by = (kept.get(name) ?? []).filter((label) => labels.has(label));
    const shown = by.map((label) => `${label}=${JSON.stringify(labels.get(label)?.slice(0, longestLabel))}`).join(",");
    const series = shown === "" ? name : `${name}{${shown}}`;
    if (values.has(series) || values.size < mostSeries) values.set(series, (values.get(series) ?? 0) + value);
  }
  return Object.fromEntries(values);
}
