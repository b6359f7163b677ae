import type { OperationSummary } from "../../../measure/summary.ts";
import { type Operation, operations } from "../../../observe/observation.ts";
import { bars } from "../charts/bars.ts";
import { hdrPlot, heatMap, latencyAxis } from "../charts/latency.ts";
import { path, pathOf, plot, stretched, zeroAxis } from "../charts/plot.ts";
import { runTicks } from "../charts/time-axis.ts";
import { type Context, card, fact, facts, key, section } from "../context.ts";
import { formats } from "../formats.ts";
import { html, type Markup } from "../markup.ts";

const operationWords: Readonly<Record<Operation, string>> = {
  find: "Find a site",
  reserve: "Reserve",
  confirm: "Confirm",
  cancel: "Cancel",
  redirect: "Redirect",
  credential: "Issue a credential",
  read: "Read a reservation",
  door: "At the door",
  sync: "A terminal synchronises",
  events: "Read events",
  availability: "Read availability",
  boot: "A terminal starts",
  report: "A terminal reports",
};

/** How fast the gateway answered, and whether the generator kept to the plan. */
export function loadSection(context: Context): Markup {
  const { report, figure } = context;
  const shown = operations.flatMap((name) => {
    const operation = report.load.operations[name];
    return operation === undefined ? [] : [{ name, operation }];
  });
  const axis = latencyAxis(shown.flatMap(({ operation }) => operation.hdr.map(([, ms]) => ms)));
  return section(
    "load",
    "How fast it answered",
    html`${figure("load.rate.calls", "count")} calls in ${figure("load.rate.durationMs", "duration")}. A latency counts from when the call was to start, so that whoever had to wait is counted. All plots have the same scale; left by percentile, right over the run, darker where more calls are.`,
    html`<div class="operations">${shown.map(({ name, operation }) => operationCard(context, name, operation, axis))}</div><div class="grid">${[rateCard(context), latenessCard(context)]}</div>`,
  );
}

function operationCard(
  { report, figure }: Context,
  name: Operation,
  operation: OperationSummary,
  axis: ReturnType<typeof latencyAxis>,
): Markup {
  const at = `load.operations.${name}`;
  const words = operationWords[name];
  const numbers = (["p50Ms", "p90Ms", "p99Ms", "p999Ms", "maxMs"] as const).map((each, index) =>
    fact(figure(`${at}.${each}`, "latency"), ["p50", "p90", "p99", "p99.9", "max"][index]),
  );
  const outcomes = html`${figure(`${at}.ok`, "count")} ok, ${figure(`${at}.refused`, "count")} refused, ${figure(`${at}.failed`, "count")} failed`;
  return html`<div class="card operation"><div><h3>${words} <code>${name}</code></h3><p class="quiet">${outcomes}</p></div>${facts(numbers)}${hdrPlot(operation.hdr, axis, `Latency of ${name} by percentile`)}${heatMap(report.load.series, name, axis, `Latency of ${name} over the run`)}</div>`;
}

function rateCard({ report, figure }: Context): Markup {
  const { columns, stepMs } = report.load.series;
  const lastMs = (columns.at(-1)?.fromMs ?? 0) + stepMs;
  const byStep = new Map(columns.map((column) => [column.fromMs, column]));
  const chart = bars({
    label: "Intentions begun and dropped over the run, in real time.",
    bars: Array.from({ length: Math.round(lastMs / stepMs) }, (_, index) => {
      const { sent = 0, dropped = 0, late = 0 } = byStep.get(index * stepMs) ?? {};
      return {
        title: `${formats.duration(index * stepMs)}: ${sent} begun, ${late} of them late, ${dropped} dropped`,
        parts: [
          { className: "met", value: sent - late },
          { className: "redirected", value: late },
          { className: "refused", value: dropped },
        ],
      };
    }),
    xTicks: runTicks(lastMs),
    xTitle: html`Intentions in each ${figure("load.series.stepMs", "duration")}, by real time since the run began`,
    textOf: formats.count,
  });
  return card(
    "Rate of the generator",
    html`${key([
      ["met", html`begun ${figure("load.rate.sent", "count")}`],
      ["redirected", html`of these late ${figure("load.rate.late", "count")}`],
      ["refused", html`dropped ${figure("load.rate.dropped", "count")}`],
    ])}${chart}`,
    "wide",
  );
}

function latenessCard({ figure }: Context): Markup {
  return card(
    "Did the generator keep to the plan?",
    html`${facts([
      fact(figure("load.rate.intended", "count"), "intentions due"),
      fact(figure("load.rate.dropped", "count"), "dropped"),
      fact(figure("load.validity.lateP99Ms", "latency"), "late at most, 99 in 100"),
      fact(figure("load.validity.lateMaxMs", "latency"), "late at most"),
    ])}<p class="note">A run is valid if these are at most ${figure("load.validity.limits.lateP99Ms", "latency")} and ${figure("load.validity.limits.lateMaxMs", "latency")}: beyond that, latencies would include delays of the generator itself.</p>`,
  );
}

/** What the gateway said of itself. */
export function gatewaySection({ report, figure }: Context): Markup | false {
  const { atMs, series } = report.gateway;
  if (series.length === 0) return false;
  const lastMs = atMs.at(-1) ?? 0;
  const charts = series.map(({ title, unit, values, max }, index) => {
    const format = unit;
    const { max: top, ticks } = zeroAxis(max ?? 0, (value) => formats[format](value));
    const points = values.map((value, at) => (value === null ? null : ([(atMs[at] ?? 0) / Math.max(1, lastMs), value / top] as const)));
    return card(
      figure(`gateway.series.${index}.title`, "text"),
      html`${facts([
        fact(figure(`gateway.series.${index}.max`, format), "most"),
        fact(figure(`gateway.series.${index}.last`, format), "at the end"),
      ])}${plot({ label: `${title} over the run, at most ${formats[format](max)}`, height: 90, yTicks: ticks, xTicks: runTicks(lastMs), body: stretched(path("line", pathOf(points))) })}`,
    );
  });
  return section(
    "gateway",
    "What the gateway measured",
    "Its own metrics over the same time, in real time since the run began.",
    html`<div class="grid thirds">${charts}</div>`,
  );
}
