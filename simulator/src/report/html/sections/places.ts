import { bars } from "../charts/bars.ts";
import { path, pathOf, plot, stretched } from "../charts/plot.ts";
import { stepTicks } from "../charts/time-axis.ts";
import { type Context, card, fact, facts, key, section } from "../context.ts";
import { formats } from "../formats.ts";
import { html, type Markup } from "../markup.ts";
import { type Column, figureTable, tableBehind } from "../printer.ts";

/** Rows of the table of sites. */
const mostSites = 25;

/** How full the sites were, and how long parcels stayed. */
export function placesSection(context: Context): Markup {
  const { figure } = context;
  return section(
    "places",
    "How full the sites were",
    html`${figure("occupancy.sites", "count")} sites with ${figure("occupancy.installed", "count")} places. A place is in use if a parcel is inside or if it is promised.`,
    html`<div class="grid">${[occupancyCard(context), staysCard(context), sitesCard(context)]}</div>`,
  );
}

function occupancyCard({ report, figure }: Context): Markup {
  const { occupancy, steps } = report;
  const { bySteps, installed, fullest } = occupancy;
  const count = Math.max(1, bySteps.findLastIndex(({ inUseShare }) => inUseShare !== null) + 1);
  const shown = bySteps.slice(0, count);
  const most = Math.max(0.1, Math.ceil((fullest?.inUseShare ?? 0) * 10) / 10);
  const area = (levels: readonly (number | null)[]) => {
    const line = levels.map((level, step) => [step / Math.max(1, count - 1), (level ?? 0) / Math.max(1, installed) / most] as const);
    return `${pathOf([...line, [1, 0], [0, 0]])}Z`;
  };
  const inUse = shown.map(({ occupied, held }) => (occupied === null || held === null ? null : occupied + held));
  const chart = plot({
    label: "The share of places in use over the city's time, parcels inside and promised. The table below has the numbers.",
    yTicks: [0, 0.25, 0.5, 0.75, 1].map((at) => ({ at, text: `${Number((at * most * 100).toPrecision(3))} %` })),
    xTicks: stepTicks(steps, count),
    body: stretched([path("held-area", area(inUse)), path("occupied-area", area(shown.map(({ occupied }) => occupied)))]),
  });
  const columns: Column[] = [
    { head: "hour from", path: "steps.starts.{row}", format: "time" },
    { head: "parcels inside", path: "occupancy.bySteps.{row}.occupied", format: "count" },
    { head: "promised", path: "occupancy.bySteps.{row}.held", format: "count" },
    { head: "in use", path: "occupancy.bySteps.{row}.inUseShare", format: "share" },
  ];
  return card(
    "Places in use over time",
    html`${key([
      ["occupied-area", "a parcel is inside"],
      ["held-area", "promised"],
    ])}${chart}${
      fullest !== null &&
      html`<p class="note">Most at ${figure("occupancy.fullest.start", "time")}: ${figure("occupancy.fullest.inUseShare", "share")}.</p>`
    }${tableBehind("Numbers by hour", figureTable(report, "Places in use by hour", columns, [...shown.keys()]))}`,
    "wide",
  );
}

function staysCard({ report, figure }: Context): Markup {
  const { stays } = report;
  const intervals = stays.histogram.length;
  const chart = bars({
    label: "Histogram of the time from deposit to collection. The table below has the numbers.",
    bars: stays.histogram.map(({ from, count, share }) => ({
      title: `from ${formats.minutes(from)}: ${formats.count(count)}, ${formats.share(share)}`,
      parts: [{ className: "met", value: count }],
    })),
    xTicks: [0, 1, 2, 3].map((days) => ({
      at: (days * 6) / intervals,
      text: days === 0 ? "deposit" : days === 3 ? "longer" : `${days * 24} h`,
    })),
    textOf: formats.count,
  });
  const columns: Column[] = [
    { head: "from", path: "stays.histogram.{row}.from", format: "minutes" },
    { head: "parcels", path: "stays.histogram.{row}.count", format: "count" },
    { head: "share", path: "stays.histogram.{row}.share", format: "share" },
  ];
  return card(
    "How long parcels stayed",
    html`${facts([
      fact(figure("stays.p50", "minutes"), "half, at most"),
      fact(figure("stays.p90", "minutes"), "nine in ten, at most"),
      fact(figure("stays.count", "count"), "parcels collected"),
    ])}${chart}${tableBehind("Numbers by length", figureTable(report, "Stays", columns, [...stays.histogram.keys()]))}`,
  );
}

function sitesCard({ report, figure }: Context): Markup {
  const columns: Column[] = [
    { head: "site", path: "sites.{row}.name", format: "text" },
    { head: "places", path: "sites.{row}.installed", format: "count" },
    { head: "most in use", path: "sites.{row}.mostInUse", format: "count" },
    { head: "share", path: "sites.{row}.mostInUseShare", format: "share" },
    { head: "people met", path: "sites.{row}.met", format: "count" },
  ];
  const rows = [...report.sites.keys()].slice(0, mostSites);
  return card(
    "The fullest sites",
    html`${figureTable(report, "The fullest sites", columns, rows)}${report.sites.length > mostSites && html`<p class="note">All ${figure("occupancy.sites", "count")} are in report.json.</p>`}`,
  );
}
