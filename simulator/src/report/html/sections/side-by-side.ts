import type { Comparison } from "../../compare-reports.ts";
import type { Distribution, Report } from "../../report.ts";
import { bars } from "../charts/bars.ts";
import { heatMap, type LatencyAxis, latencyAxis, percentileLine, percentileTicks } from "../charts/latency.ts";
import { path, pathOf, plot, stretched, zeroAxis } from "../charts/plot.ts";
import { runTicks, stepTicks } from "../charts/time-axis.ts";
import { card } from "../context.ts";
import { formats } from "../formats.ts";
import { drawMap } from "../map-drawing.ts";
import { html, type Markup, type Part } from "../markup.ts";
import { levelOf } from "../page-script.ts";
import { createPrinter } from "../printer.ts";

type Line = readonly (readonly [x: number, y: number] | null)[];

/** Charts of both runs on the same axes. */
export function bySideCharts(comparison: Comparison): Part {
  const { a, b } = comparison;
  const reports = [a.report, b.report] as const;
  const sections: readonly (readonly [id: string, title: string, lead: string, content: Part])[] = [
    [
      "places",
      "The city",
      "How full each cell was at its fullest; circles where somebody found no place, larger for more. The same scale in both.",
      maps(reports),
    ],
    ["demand", "Who got a place", "By hour of each run's own days, on the same scale.", demand(reports)],
    ["people", "Distances, stays and places in use", "A is the solid line, B the dashed one.", distributions(reports)],
    [
      "load",
      "How fast they answered",
      "A is the solid line, B the dashed one; the heat maps are A, then B. All have the same scale.",
      latencies(reports),
    ],
    [
      "gateway",
      "What the gateways measured",
      "A is the solid line, B the dashed one, by real time since each run began.",
      gateways(comparison),
    ],
  ];
  return sections.map(
    ([id, title, lead, content]) =>
      content !== false &&
      html`<section aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2><p class="lead">${lead}</p>${content}</section>`,
  );
}

type Both = readonly [Report, Report];

const sides = ["A", "B"] as const;
const sideOf = (index: number) => html`<span class="side ${index === 0 ? "a" : "b"}">${sides[index]}</span>`;

/** Two lines, the second dashed, with their names at their highest points. */
function twoLines(lines: readonly Line[]): Part {
  return stretched(lines.map((line, index) => path(index === 0 ? "line" : "line second", pathOf(line))));
}

function maps(reports: Both): Markup | false {
  const frame = { cells: reports.flatMap(({ cells }) => cells), sites: reports.flatMap(({ sites }) => sites) };
  if (frame.cells.length === 0) return false;
  const mostRefused = Math.max(5, ...frame.cells.map(({ refused }) => refused));
  return html`<div class="grid">${reports.map((report, index) => {
    const drawing = drawMap(report, frame);
    const most = report.cells.map(({ inUseBySteps }) =>
      inUseBySteps.length === 0 ? null : Math.max(0, ...inUseBySteps.map((inUse) => inUse ?? 0)),
    );
    const hexagons = report.cells.map(
      ({ installed }, cell) => html`<path class="${levelOf(most[cell] ?? null, installed)}" d="${drawing.cells[cell]?.d}"/>`,
    );
    const circles = report.cells.map(({ refused }, cell) => {
      const { x, y } = drawing.cells[cell] ?? { x: 0, y: 0 };
      return refused > 0 && html`<circle class="refusal" cx="${x}" cy="${y}" r="${Math.round(20 * Math.sqrt(refused / mostRefused))}"/>`;
    });
    return card(
      html`${sideOf(index)} at the fullest`,
      html`<svg class="city" viewBox="0 0 ${drawing.width} ${drawing.height}" role="img" aria-label="Map of run ${sides[index]}: how full the sites of each cell were at the fullest, and where somebody found no place"><g class="cells">${hexagons}</g>${circles}<path class="dots" d="${drawing.lockers}"/><path class="dots stores" d="${drawing.stores}"/></svg>`,
    );
  })}</div>`;
}

function demand(reports: Both): Markup {
  const counts = reports.map((report) => Math.max(1, report.demand.bySteps.findLastIndex(({ wanted }) => wanted > 0) + 1));
  const count = Math.max(...counts);
  const max = Math.max(1, ...reports.flatMap((report) => report.demand.bySteps.map(({ wanted }) => wanted)));
  return html`<div class="grid">${reports.map((report, index) => {
    const shown = Array.from(
      { length: count },
      (_, step) => report.demand.bySteps[step] ?? { met: 0, redirected: 0, refused: 0, failed: 0 },
    );
    const chart = bars({
      label: `Bars of those who wanted a place in run ${sides[index]}, by hour: met, redirected, refused and failed`,
      bars: shown.map(({ met, redirected, refused, failed }, step) => ({
        title: `${formats.time(report.steps.starts[step])}: ${formats.count(met)} met, ${formats.count(refused)} refused`,
        parts: [
          { className: "met", value: met - redirected },
          { className: "redirected", value: redirected },
          { className: "refused", value: refused },
          { className: "failed", value: failed },
        ],
      })),
      xTicks: stepTicks(report.steps, count),
      textOf: formats.count,
      max,
    });
    return card(html`${sideOf(index)} met, redirected, refused`, chart);
  })}</div>`;
}

function distributions(reports: Both): Markup {
  const overlay = (title: string, of: (report: Report) => Distribution, textOf: (from: number) => string) => {
    const shares = reports.map((report) => of(report).histogram.map(({ share }) => share ?? 0));
    const { max, ticks } = zeroAxis(Math.max(0.01, ...shares.flat()), (share) => `${Number((share * 100).toPrecision(3))} %`);
    const starts = of(reports[0]).histogram.map(({ from }) => from);
    const lines = shares.map((list) => list.map((share, index) => [(index + 0.5) / list.length, share / max] as const));
    const every = Math.ceil(starts.length / 4);
    const xTicks = starts.flatMap((from, index) => (index % every === 0 ? [{ at: index / starts.length, text: textOf(from) }] : []));
    return card(title, plot({ label: `${title}: shares of both runs`, yTicks: ticks, xTicks, body: twoLines(lines) }));
  };
  const inUse = reports.map(({ occupancy }) => occupancy.bySteps.map(({ inUseShare }) => inUseShare));
  const count = Math.max(2, ...inUse.map((list) => list.length));
  const { max, ticks } = zeroAxis(
    Math.max(0.01, ...inUse.flat().map((share) => share ?? 0)),
    (share) => `${Number((share * 100).toPrecision(3))} %`,
  );
  const lines = inUse.map((list) => list.map((share, step) => (share === null ? null : ([step / (count - 1), share / max] as const))));
  const longest = reports[0].steps.starts.length >= reports[1].steps.starts.length ? reports[0] : reports[1];
  return html`<div class="grid">${[
    overlay("Distance from home to the site", ({ walk }) => walk, formats.metres),
    overlay("How long parcels stayed", ({ stays }) => stays, formats.minutes),
    card(
      "Places in use",
      plot({
        label: "Share of places in use over time, of both runs",
        yTicks: ticks,
        xTicks: stepTicks(longest.steps, count),
        body: twoLines(lines),
      }),
      "wide",
    ),
  ]}</div>`;
}

function latencies(reports: Both): Markup {
  const operations = [...new Set(reports.flatMap(({ load }) => Object.keys(load.operations)))] as (keyof Report["load"]["operations"])[];
  const axis: LatencyAxis = latencyAxis(
    reports.flatMap(({ load }) => Object.values(load.operations).flatMap(({ hdr }) => hdr.map(([, ms]) => ms))),
  );
  const cards = operations.map((operation) => {
    const curves = reports.map(({ load }) => load.operations[operation]?.hdr ?? []);
    const { most, ticks } = percentileTicks(curves.flat());
    const curve = plot({
      label: `Latency of ${operation} by percentile, of both runs`,
      height: 130,
      yTicks: axis.ticks,
      xTicks: ticks,
      xTitle: "Percentile",
      body: twoLines(curves.map((points) => percentileLine(points, most, axis))),
    });
    const heats = reports.map(({ load }, index) =>
      heatMap(load.series, operation, axis, `Latency of ${operation} over run ${sides[index]}`),
    );
    return html`<div class="card"><h3><code>${operation}</code></h3><div class="three"><div>${curve}</div>${heats.map((heat, index) => html`<div>${sideOf(index)}${heat}</div>`)}</div></div>`;
  });
  return html`<div class="operations">${cards}</div>`;
}

function gateways(comparison: Comparison): Markup | false {
  const reports: Both = [comparison.a.report, comparison.b.report];
  const { figure } = createPrinter(comparison);
  const names = [...new Set(reports.flatMap(({ gateway }) => gateway.series.map(({ name }) => name)))];
  if (names.length === 0) return false;
  const lastMs = Math.max(1, ...reports.flatMap(({ gateway }) => gateway.atMs));
  const cards = names.map((name) => {
    const series = reports.map(({ gateway }) => gateway.series.find((one) => one.name === name));
    const side = series[0] === undefined ? "b" : "a";
    const at = comparison[side].report.gateway.series.findIndex((one) => one.name === name);
    const { title = name, unit = "number" } = series.find((one) => one !== undefined) ?? {};
    const { max, ticks } = zeroAxis(Math.max(0, ...series.map((one) => one?.max ?? 0)), formats[unit]);
    const lines = series.map((one, index) =>
      (one?.values ?? []).map((value, at) =>
        value === null ? null : ([(reports[index]?.gateway.atMs[at] ?? 0) / lastMs, value / max] as const),
      ),
    );
    return card(
      figure(`${side}.report.gateway.series.${at}.title`, "text"),
      plot({ label: `${title} of both runs`, height: 90, yTicks: ticks, xTicks: runTicks(lastMs), body: twoLines(lines) }),
    );
  });
  return html`<div class="grid thirds">${cards}</div>`;
}
