import type { DeliveryFigures, DeliveryWay } from "../../report.ts";
import { path, pathOf, percent, plot, round, stretched, zeroAxis } from "../charts/plot.ts";
import { type Context, card, key, section } from "../context.ts";
import { formats } from "../formats.ts";
import { html, type Markup } from "../markup.ts";
import { type Column, figureTable, tableBehind } from "../printer.ts";

const wayWords: Record<DeliveryWay, string> = {
  doorToDoor: "To each door",
  ownLockers: "Each courier to its own sites",
  openNetwork: "Each courier to any site",
  openConsolidated: "One carrier to all sites",
};

/** What the network is for: the same parcels, delivered in four ways. */
export function deliverySection(context: Context): Markup | false {
  const { delivery } = context.report;
  if (delivery === null || delivery.parcels === 0) return false;
  const { figure } = context;
  return section(
    "delivery",
    "Four ways to deliver the same parcels",
    html`The ${figure("delivery.parcels", "count")} parcels that couriers bring in ${figure("delivery.days", "count")} ${delivery.days === 1 ? "day" : "days"} of this trace, by a model of vans and of the trips of people who pick up. A model, not the run.`,
    html`<div class="grid">${[waysCard(context, delivery), emissionsCard(context, delivery), sweepCard(context, delivery), parametersCard(context, delivery)]}</div>`,
  );
}

function waysCard({ figure }: Context, { ways }: DeliveryFigures): Markup {
  const rows: readonly (readonly [head: string, name: string, format: "count" | "number" | "metres" | "change" | "share"])[] = [
    ["stops of vans", "stops", "count"],
    ["rounds", "rounds", "count"],
    ["km of vans", "vanKm", "count"],
    ["hours of drivers", "vanHours", "count"],
    ["lists of parcels handed over", "manifests", "count"],
    ["parcels by way of a site", "siteParcels", "count"],
    ["mean distance to the site", "meanDistanceM", "metres"],
    ["km of people by car", "carKm", "count"],
    ["kg CO₂e of vans", "vanKg", "count"],
    ["kg CO₂e of people", "carKg", "count"],
    ["kg CO₂e in all", "kg", "count"],
    ["compared with each door", "kgRatio", "change"],
    ["kg CO₂e at least", "kgLow", "count"],
    ["kg CO₂e at most", "kgHigh", "count"],
    ["as much CO₂ as to each door at this share of trips by car", "breakEvenCarShare", "share"],
  ];
  const heads = ways.map(({ way }) => html`<th scope="col" class="n">${wayWords[way]}</th>`);
  const lines = rows.map(
    ([head, name, format]) =>
      html`<tr><th scope="row">${head}</th>${ways.map((_, way) => html`<td class="n">${figure(`delivery.ways.${way}.${name}`, format)}</td>`)}</tr>`,
  );
  return card(
    "What each way takes",
    html`<div class="scroll" role="region" aria-label="What each way takes, table" tabindex="0"><table><caption>What each way takes</caption><thead><tr><th scope="col">what it takes</th>${heads}</tr></thead><tbody>${lines}</tbody></table></div><p class="note">At least and at most: with 3 to 40 % of first attempts failing, and 0 to 50 % of the trips to pick up by car, all others on foot. Bringing parcels together before the last mile is not counted.</p>`,
    "wide",
  );
}

function emissionsCard({ label }: Context, { ways }: DeliveryFigures): Markup {
  const most = Math.max(...ways.map(({ kgHigh, kg }) => Math.max(kgHigh, kg)), 1e-9);
  const at = (kg: number) => percent(kg / most);
  const rows = ways.map(({ way, vanKg, kg, kgLow, kgHigh }, index) => {
    const y = index * 56;
    const end = (kgAt: number) => html`<line class="range" x1="${at(kgAt)}" x2="${at(kgAt)}" y1="${y + 41}" y2="${y + 49}"/>`;
    return html`<g><text x="0" y="${y + 14}">${wayWords[way]}</text><text class="strong" x="100%" y="${y + 14}" text-anchor="end">${label(`delivery.ways.${index}.kg`, "count")} kg</text><rect class="occupied-area" x="0" width="${at(vanKg)}" y="${y + 21}" height="16"/><rect class="held-area" x="${at(vanKg)}" width="${at(kg - vanKg)}" y="${y + 21}" height="16"/><line class="range" x1="${at(kgLow)}" x2="${at(kgHigh)}" y1="${y + 45}" y2="${y + 45}"/>${[end(kgLow), end(kgHigh)]}</g>`;
  });
  const chart = html`<svg width="100%" height="${ways.length * 56}" role="img" aria-label="Bars of the emissions of each way, from vans and from people by car, and their range. The table has the numbers.">${rows}</svg>`;
  return card(
    "CO₂e of each way, kg",
    html`${key([
      ["occupied-area", "vans"],
      ["held-area", "people who drive to the site"],
    ])}${chart}<p class="note">The line below each bar: from least to most.</p>`,
  );
}

function sweepCard(context: Context, { carSweep, ways }: DeliveryFigures): Markup {
  const { report } = context;
  const { max, ticks } = zeroAxis(Math.max(...carSweep.flatMap((point) => ways.map(({ way }) => point[way]))), formats.count);
  const lines = ways.map(({ way }) => path(`line ${way}`, pathOf(carSweep.map((point) => [point.carShare, point[way] / max] as const))));
  const height = 220;
  let lowest = height + 14;
  const ends = ways
    .map(({ way }) => ({ way, y: height * (1 - (carSweep.at(-1)?.[way] ?? 0) / max) - 5 }))
    .sort((a, b) => b.y - a.y)
    .map(({ way, y }) => {
      lowest = Math.max(Math.min(y, lowest - 14), 6);
      return html`<text class="line-label" x="100%" y="${round(lowest)}" text-anchor="end">${wayWords[way]}</text>`;
    });
  const chart = plot({
    label: "Emissions of each way over the share of people who fetch their parcels by car. The table below has the numbers.",
    height,
    yTicks: ticks,
    xTicks: [0, 0.25, 0.5, 0.75, 1].map((share) => ({ at: share, text: `${share * 100} %` })),
    xTitle: "Share of the trips to pick up that are made by car for this alone, all others on foot",
    body: html`${stretched(lines)}${ends}`,
  });
  const columns: Column[] = [
    { head: "by car", path: "delivery.carSweep.{row}.carShare", format: "share" },
    ...ways.map(({ way }): Column => ({ head: wayWords[way], path: `delivery.carSweep.{row}.${way}`, format: "count" })),
  ];
  return card(
    "CO₂e, kg, by who drives to the site",
    html`${chart}${tableBehind("Numbers by share", figureTable(report, "Emissions in kg by share of car trips", columns, [...carSweep.keys()]))}`,
  );
}

function parametersCard({ report, figure }: Context, { parameters }: DeliveryFigures): Markup {
  const columns: Column[] = [
    { head: "parameter", path: "delivery.parameters.{row}.meaning", format: "text" },
    { head: "value", path: "delivery.parameters.{row}.value", format: "number" },
    { head: "source", path: "delivery.parameters.{row}.source", format: "text" },
  ];
  return card(
    "The model",
    html`<p>Tours by the theorem of Beardwood, Halton and Hammersley, with the constant of Johnson, McGeoch and Rothberg. A parcel goes to the nearest site within ${figure("delivery.reachM", "metres")}, else to the door.</p>${tableBehind("Parameters and their sources", figureTable(report, "Parameters of the model", columns, [...parameters.keys()]))}`,
    "wide",
  );
}

/** What planned sites bring. */
export function planSection({ report, figure }: Context): Markup | false {
  if (report.plan === null) return false;
  const columns: Column[] = [
    { head: "planned site", path: "plan.sites.{row}.name", format: "text" },
    { head: "residents newly covered", path: "plan.sites.{row}.residents", format: "count" },
    { head: "people met", path: "plan.sites.{row}.met", format: "count" },
    { head: "of these without another site in reach", path: "plan.sites.{row}.newlyReached", format: "count" },
    { head: "walk saved, each", path: "plan.sites.{row}.savedMeanM", format: "metres" },
    { head: "walk saved, in all", path: "plan.sites.{row}.savedM", format: "metres" },
  ];
  return section(
    "plan",
    "What the planned sites bring",
    html`Within ${figure("plan.walkM", "metres")} of a site lived ${figure("plan.coveredBeforeShare", "share")} of ${figure("plan.residents", "count")} people, and with the planned ones ${figure("plan.coveredAfterShare", "share")}.`,
    html`<div class="grid">${card("In the order in which they were chosen", figureTable(report, "Planned sites", columns, [...report.plan.sites.keys()]), "wide")}</div>`,
  );
}
