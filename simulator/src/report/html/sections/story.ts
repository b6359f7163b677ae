import { type Context, fact } from "../context.ts";
import { html, type Markup, type Part } from "../markup.ts";

/** The name of the page, whether it can be relied on, and the figures that matter most. */
export function opening(context: Context): Markup {
  const { report, figure } = context;
  const { run, violations } = report;
  const verdict: readonly [className: string, sign: string, text: Part] =
    violations.count > 0
      ? ["bad", "✕", html`${figure("violations.count", "count")} checks failed`]
      : run.isValid
        ? ["good", "✓", "Every check held"]
        : ["few", "!", "Not to be relied on"];
  const [className, sign, text] = verdict;
  return html`<header class="top"><p class="mark">${mark}<span>Petak <span class="quiet">· a city simulated</span></span></p><div class="title"><h1>${figure("run.city", "text")}</h1><p class="pill ${className}"><span aria-hidden="true">${sign}</span> ${text}</p></div><p class="quiet">${figure("run.intentions", "count")} intentions from ${figure("run.startAt", "date")} on, replayed in ${figure("run.tookMs", "duration")} against ${figure("run.gateway", "text")}${run.end !== "complete" && html` · ended early: ${figure("run.end", "text")}`}</p>${run.invalidReasons.length > 0 && html`<ul class="warn">${run.invalidReasons.map((_, index) => html`<li>${figure(`run.invalidReasons.${index}`, "text")}</li>`)}</ul>`}</header><dl class="facts headline">${headline(context)}</dl>`;
}

/** Compartments, one in use. */
export const mark = html`<svg width="28" height="28" viewBox="0 0 28 28" aria-hidden="true"><g class="mark-off"><rect x="2" y="2" width="10.5" height="10.5" rx="3"/><rect x="2" y="15.5" width="10.5" height="10.5" rx="3"/><rect x="15.5" y="15.5" width="10.5" height="10.5" rx="3"/></g><rect class="mark-on" x="15.5" y="2" width="10.5" height="10.5" rx="3"/></svg>`;

function headline({ report, figure }: Context): Part {
  const { demand, walk, occupancy, load, delivery } = report;
  const consolidated = delivery?.ways.findIndex(({ way }) => way === "openConsolidated") ?? -1;
  return [
    demand.wanted > 0 &&
      fact(
        figure("demand.metShare", "share"),
        html`of those who wanted a place got one: ${figure("demand.met", "count")} of ${figure("demand.wanted", "count")}`,
      ),
    walk.count > 0 &&
      fact(figure("walk.p50", "metres"), html`from it or nearer live half of them, and nine in ten within ${figure("walk.p90", "metres")}`),
    occupancy.fullest !== null &&
      fact(
        figure("occupancy.fullest.inUseShare", "share"),
        html`of all places were in use in the fullest hour, ${figure("occupancy.fullest.start", "time")}`,
      ),
    load.operations.find !== undefined &&
      fact(
        figure("load.operations.find.p99Ms", "latency"),
        html`or less took 99 in 100 searches for a site; ${figure("load.rate.calls", "count")} calls were made in all`,
      ),
    fact(
      figure("violations.count", "count"),
      "checks failed, such as a place given twice, an event lost, or a spent code that opened a door",
    ),
    consolidated >= 0 &&
      fact(
        figure(`delivery.ways.${consolidated}.kgRatio`, "share"),
        html`of the CO₂ of delivery to each door remain if one carrier brings all parcels to the sites`,
      ),
  ];
}

/** What happened, in sentences. */
export function story({ report, figure }: Context): Markup {
  const { demand, walk, occupancy, stays, queues, load, run } = report;
  const sentences: Part[] = [
    html`${figure("demand.asked", "count")} times somebody asked for a place for a parcel${demand.byEnd.left > 0 && html`; ${figure("demand.byEnd.left", "count")} only looked`}.`,
    demand.wanted > 0 &&
      html`Of the ${figure("demand.wanted", "count")} who wanted a place, ${figure("demand.metShare", "share")} got one, ${figure("demand.noSiteNearShare", "share")} live where no site is as near as they would go${demand.failed > 0 ? "," : " and"} ${figure("demand.noneFreeShare", "share")} found none free${demand.failed > 0 && html`, and ${figure("demand.failedShare", "share")} failed for another reason`}.`,
    demand.busiest !== null &&
      html`Most asked in the hour from ${figure("demand.busiest.start", "time")}: ${figure("demand.busiest.asked", "count")}.`,
    walk.count > 0 &&
      html`Half of those who got a place live within ${figure("walk.p50", "metres")} of it, and ${figure("walk.shareWithin250M", "share")} within 250 m.`,
    demand.redirected > 0 &&
      html`${figure("demand.redirectedShare", "share")} of them went to another site than the nearest one that they wanted, because that was full.`,
    queues.count > 0 && html`${figure("queues.count", "count")} waited in a queue; ${figure("queues.met", "count")} of them got a place.`,
    stays.count > 0 &&
      html`Half of the parcels were collected within ${figure("stays.p50", "minutes")}, nine in ten within ${figure("stays.p90", "minutes")}.`,
    occupancy.fullest !== null &&
      html`In the fullest hour, ${figure("occupancy.fullest.start", "time")}, ${figure("occupancy.fullest.occupied", "count")} of the ${figure("occupancy.installed", "count")} places held a parcel and ${figure("occupancy.fullest.held", "count")} more were promised.`,
    load.rate.dropped > 0 && html`The generator had too much to do and dropped ${figure("load.rate.dropped", "count")} intentions.`,
    run.speed !== 1 &&
      html`An hour of the run stands for ${figure("run.speed", "number")} hours of the city; stays and waits are told in the city's time.`,
  ];
  return html`<section id="story" aria-labelledby="story-title"><h2 id="story-title">What happened</h2><p class="story">${sentences.flatMap((sentence) => [sentence, " "])}</p></section>`;
}
