import { bars } from "../charts/bars.ts";
import { percent, round } from "../charts/plot.ts";
import { stepTicks } from "../charts/time-axis.ts";
import { type Context, card, fact, facts, key, section } from "../context.ts";
import { formats } from "../formats.ts";
import { html, type Markup } from "../markup.ts";
import { type Column, figureTable, tableBehind } from "../printer.ts";

/** Rows of the table by place. */
const mostCells = 40;

/** Demand by hour and place, walks and waits. */
export function demandSection(context: Context): Markup {
  const { figure } = context;
  return section(
    "demand",
    "Who got a place",
    html`Of ${figure("demand.wanted", "count")} who wanted a place, ${figure("demand.met", "count")} were met, ${figure("demand.redirected", "count")} of them at another site than they wanted; ${figure("demand.refused", "count")} got none: ${figure("demand.noSiteNear", "count")} have no site as near as they would go, ${figure("demand.noneFree", "count")} found no place free.`,
    html`<div class="grid">${[byHour(context), walkCard(context), endsCard(context), byPlace(context)]}</div>`,
  );
}

function byHour({ report, text, figure }: Context): Markup {
  const { bySteps } = report.demand;
  const count = Math.max(1, bySteps.findLastIndex(({ wanted }) => wanted > 0) + 1);
  const shown = bySteps.slice(0, count);
  const chart = bars({
    label:
      "Bars of those who wanted a place, by hour of the city's time: met, redirected, refused and failed. The table below has the numbers.",
    bars: shown.map(({ met, redirected, refused, failed }, step) => ({
      title: `${text(`steps.starts.${step}`, "time")}: ${formats.count(met)} met, ${formats.count(refused)} refused`,
      parts: [
        { className: "met", value: met - redirected },
        { className: "redirected", value: redirected },
        { className: "refused", value: refused },
        { className: "failed", value: failed },
      ],
    })),
    xTicks: stepTicks(report.steps, count),
    textOf: formats.count,
    height: 200,
  });
  const column = (name: string): Column => ({ head: name, path: `demand.bySteps.{row}.${name}`, format: "count" });
  const columns: Column[] = [
    { head: "from", path: "steps.starts.{row}", format: "time" },
    ...["asked", "wanted", "met", "redirected", "refused", "failed"].map(column),
  ];
  return card(
    "By hour",
    html`${key([
      ["met", html`met ${figure("demand.met", "count")}`],
      ["redirected", html`of these redirected ${figure("demand.redirected", "count")}`],
      ["refused", html`refused ${figure("demand.refused", "count")}`],
      ["failed", html`failed ${figure("demand.failed", "count")}`],
    ])}${chart}${tableBehind("Numbers by hour", figureTable(report, "Demand by hour", columns, [...shown.keys()]))}`,
    "wide",
  );
}

function byPlace({ report }: Context): Markup {
  const column = (name: string): Column => ({ head: name, path: `cells.{row}.${name}`, format: "count" });
  const columns: Column[] = [
    { head: "near", path: "cells.{row}.around", format: "text" },
    ...["wanted", "met", "redirected", "refused", "failed"].map(column),
    { head: "places", path: "cells.{row}.installed", format: "count" },
    { head: "share met", path: "cells.{row}.metShare", format: "share" },
    { head: "H3 cell", path: "cells.{row}.cell", format: "id" },
  ];
  const rows = [...report.cells.keys()].filter((row) => (report.cells[row]?.asked ?? 0) > 0).slice(0, mostCells);
  return card("By place, where most asked", figureTable(report, "Demand by cell", columns, rows), "wide");
}

function walkCard({ report, figure, number }: Context): Markup {
  const { walk } = report;
  const end = (walk.histogram.at(-1)?.from ?? 0) + 100;
  const markAt = (path: string, y: number, text: string) => {
    const at = Math.min(number(path) / end, 0.98);
    return html`<line class="marker" x1="${percent(at)}" x2="${percent(at)}" y1="${y - 10}" y2="160"/><text class="marker-text" x="${percent(at)}" dx="5" y="${y}">${text}</text>`;
  };
  const chart = bars({
    label: "Histogram of the distance from home to the site. The table below has the numbers.",
    bars: walk.histogram.map(({ from, count, share }) => ({
      title: `from ${from} m: ${formats.count(count)}, ${formats.share(share)}`,
      parts: [{ className: "met", value: count }],
    })),
    xTicks: [0, 500, 1000, 1500, 2000].map((metres) => ({
      at: round(metres / end),
      text: metres === 2000 ? "farther" : formats.metres(metres),
    })),
    textOf: formats.count,
    over: walk.count > 0 && html`${markAt("walk.p50", 10, "half")}${markAt("walk.p90", 26, "nine in ten")}`,
  });
  const columns: Column[] = [
    { head: "from", path: "walk.histogram.{row}.from", format: "metres" },
    { head: "people", path: "walk.histogram.{row}.count", format: "count" },
    { head: "share", path: "walk.histogram.{row}.share", format: "share" },
  ];
  return card(
    "Distance from home to the site",
    html`${facts([
      fact(figure("walk.p50", "metres"), "half, at most"),
      fact(figure("walk.p90", "metres"), "nine in ten, at most"),
      fact(figure("walk.shareWithin250M", "share"), "within 250 m"),
      fact(figure("walk.shareWithin500M", "share"), "within 500 m"),
    ])}${chart}<p class="note">As the crow flies. Mean ${figure("walk.mean", "metres")}.</p>${tableBehind("Numbers by distance", figureTable(report, "Distances", columns, [...walk.histogram.keys()]))}`,
  );
}

const endWords: Readonly<Record<string, string>> = {
  collected: "collected",
  recalled: "taken back by the depositor",
  kept: "still inside, as meant",
  left: "only looked, as meant",
  cancelled: "cancelled, as meant",
  "no-show": "not deposited, as meant",
  refused: "no place found",
  rejected: "waited in vain",
  "gave-up": "lost patience",
  expired: "promise ended too early",
  stranded: "stood before a door",
  dropped: "not begun by the generator",
  failed: "failed otherwise",
  unfinished: "the run ended first",
};

function endsCard({ report, figure }: Context): Markup {
  const known = Object.entries(report.demand.byEnd)
    .filter(([, count]) => count > 0)
    .sort(([, a], [, b]) => b - a);
  const queue =
    report.queues.count > 0 &&
    html`<p class="note">${figure("queues.count", "count")} waited in a queue, half of them ${figure("queues.p50", "minutes")} or less, nine in ten ${figure("queues.p90", "minutes")} or less; ${figure("queues.metShare", "share")} got a place.</p>`;
  return card(
    "How it ended",
    html`<ul class="list">${known.map(([end]) => html`<li><span>${endWords[end] ?? end}</span>${figure(`demand.byEnd.${end}`, "count")}</li>`)}</ul>${queue}`,
  );
}
