import type { SeriesSummary } from "../../../measure/summary.ts";
import type { Operation } from "../../../observe/observation.ts";
import { html, type Markup } from "../markup.ts";
import { path, pathOf, plot, stretched, type Tick } from "./plot.ts";
import { runTicks } from "./time-axis.ts";

/** A logarithmic axis of latencies, in whole powers of ten. */
export interface LatencyAxis {
  readonly ticks: readonly Tick[];
  /** From 0 to 1. */
  positionOf(ms: number): number;
}

/** An axis for all of the latencies. */
export function latencyAxis(latenciesMs: readonly number[]): LatencyAxis {
  const logs = latenciesMs.map((ms) => Math.log10(Math.max(ms, 0.01)));
  const from = Math.floor(logs.reduce((least, log) => Math.min(least, log), 0));
  const to = Math.max(from + 1, Math.ceil(logs.reduce((most, log) => Math.max(most, log), 0.01)));
  const ticks = Array.from({ length: to - from + 1 }, (_, index) => ({
    at: index / (to - from),
    text: wholeLatency(10 ** (from + index)),
  }));
  return { ticks, positionOf: (ms) => Math.min(1, Math.max(0, (Math.log10(Math.max(ms, 0.01)) - from) / (to - from))) };
}

function wholeLatency(ms: number): string {
  return ms >= 1000 ? `${Number((ms / 1000).toPrecision(3))} s` : `${Number(ms.toPrecision(3))} ms`;
}

const height = 130;

type Points = readonly (readonly [percent: number, ms: number])[];

const nines = (percent: number) => Math.log10(100 / Math.max(100 - percent, 1e-9));

/** An axis of percentiles that is logarithmic in what is beyond them, so that tails can be seen; `most` is its length in nines. */
export function percentileTicks(points: Points): { readonly most: number; readonly ticks: Tick[] } {
  const finite = points.filter(([percent]) => percent < 100);
  const most = Math.max(1, Math.ceil(Math.max(0, ...finite.map(([percent]) => nines(percent)))));
  const textOf = (count: number) => (count === 0 ? "0" : String(Number((100 - 10 ** (2 - count)).toPrecision(12))));
  return { most, ticks: Array.from({ length: most }, (_, count) => ({ at: count / most, text: textOf(count) })) };
}

/** The curve of an HDR plot. */
export function percentileLine(points: Points, most: number, axis: LatencyAxis): (readonly [x: number, y: number])[] {
  return points.map(([percent, ms]) => [Math.min(1, nines(percent) / most), axis.positionOf(ms)]);
}

/** Latency by percentile. */
export function hdrPlot(points: Points, axis: LatencyAxis, label: string): Markup {
  const { most, ticks } = percentileTicks(points);
  const body = stretched(path("line", pathOf(percentileLine(points, most, axis))));
  return plot({ label, height, yTicks: axis.ticks, xTicks: ticks, xTitle: "Percentile", body });
}

/** Columns of a heat map: neighbours are put together until there are no more. */
const mostColumns = 80;

/** Shades, by the share of the fullest field on a square scale. */
const shades = 5;

/** Calls by latency over the run. */
export function heatMap({ columns, stepMs, heatBoundsMs }: SeriesSummary, operation: string, axis: LatencyAxis, label: string): Markup {
  const lastMs = (columns.at(-1)?.fromMs ?? 0) + stepMs;
  const merged = Math.ceil(lastMs / stepMs / mostColumns);
  const widthMs = merged * stepMs;
  const fields = new Map<string, number>();
  for (const { fromMs, calls } of columns) {
    for (const [row, count] of calls[operation as Operation]?.buckets ?? []) {
      const name = `${Math.floor(fromMs / widthMs)} ${row}`;
      fields.set(name, (fields.get(name) ?? 0) + count);
    }
  }
  const most = Math.max(...fields.values(), 1);
  const paths = Array.from({ length: shades }, () => "");
  for (const [name, count] of fields) {
    const [column = 0, row = 0] = name.split(" ").map(Number);
    const [left, right] = [column, column + 1].map((at) => Math.round(Math.min(1, (at * widthMs) / lastMs) * 1000)) as [number, number];
    const [low, high] = [row, row + 1].map((at) => Math.round((1 - axis.positionOf(heatBoundsMs[at] ?? Infinity)) * 1000)) as [
      number,
      number,
    ];
    const shade = Math.min(shades - 1, Math.floor(Math.sqrt(count / most) * shades));
    paths[shade] += `M${left} ${high}H${right}V${low}H${left}Z`;
  }
  const body = stretched(html`<g class="heat">${paths.map((d, shade) => path(`l${shade}`, d))}</g>`);
  return plot({
    label,
    height,
    yTicks: axis.ticks,
    xTicks: runTicks(lastMs),
    xTitle: "Real time since the run began",
    body,
  });
}
