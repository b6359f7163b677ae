import { type Context, section } from "../context.ts";
import { drawMap } from "../map-drawing.ts";
import { html, type Markup, scriptJson } from "../markup.ts";
import { levelOf } from "../page-script.ts";

/** Most small maps in print. */
const mostPrinted = 48;

/** The city by hour. */
export function mapSection(context: Context): Markup | false {
  const { report, figure } = context;
  const { cells, sites, occupancy, demand, steps } = report;
  if (cells.length === 0) return false;
  const drawing = drawMap({ cells, sites });
  const count = Math.max(
    1,
    occupancy.bySteps.findLastIndex(({ inUseShare }) => inUseShare !== null) + 1,
    demand.bySteps.findLastIndex(({ asked }) => asked > 0) + 1,
  );
  const shown = Math.max(0, steps.starts.indexOf(demand.busiest?.start ?? occupancy.fullest?.start ?? ""));
  const hexagons = cells.map(({ inUseBySteps, installed }, index) => {
    const level = levelOf(inUseBySteps[shown] ?? null, installed);
    return html`<path class="${level}" d="${drawing.cells[index]?.d}"/>`;
  });
  const viewBox = `0 0 ${drawing.width} ${drawing.height}`;
  const bar = html`<path class="bar" d="M14 ${drawing.height - 12}h${drawing.bar.units}"/>`;
  const map = html`<svg id="map" viewBox="${viewBox}" role="img" aria-label="Map of the city in hexagons: how full the sites in each are, and where somebody found no place. The list beside it and the tables below have the numbers."><g id="cells">${hexagons}</g><g id="refusals"></g><path class="dots" d="${drawing.lockers}"/><path class="dots stores" d="${drawing.stores}"/>${bar}</svg>`;
  const at = `bySteps.${shown}`;
  const live = html`<div class="now"><p class="hour" id="hour" aria-live="polite">${figure(`steps.starts.${shown}`, "time")}</p><p><strong id="now-share">${figure(`occupancy.${at}.inUseShare`, "share")}</strong> of all places in use: <span id="now-occupied">${figure(`occupancy.${at}.occupied`, "count")}</span> hold a parcel, <span id="now-held">${figure(`occupancy.${at}.held`, "count")}</span> are promised</p><p><strong id="now-wanted">${figure(`demand.${at}.wanted`, "count")}</strong> wanted a place in this hour, <strong id="now-refused">${figure(`demand.${at}.refused`, "count")}</strong> found none</p></div>`;
  const control = html`<div class="control" hidden><button type="button" id="play" aria-pressed="false"><span aria-hidden="true">▶</span> Play</button><label for="step" class="visually-hidden">Hour</label><input type="range" id="step" min="0" max="${count - 1}" value="${shown}" step="1"></div><label class="check" hidden><input type="checkbox" id="show-refusals" checked> Show where somebody found no place</label>`;
  const legend = html`<ul class="key levels" data-axis>${["under 20 %", "under 40 %", "under 60 %", "under 80 %", "fuller", "people, but no site"].map((text, index) => html`<li><svg width="16" height="16" aria-hidden="true"><rect class="${index < 5 ? `l${index}` : "empty"}" x="1" y="1" width="14" height="14" rx="2"/></svg> ${text}</li>`)}<li><svg width="16" height="16" aria-hidden="true"><circle class="refusal" cx="8" cy="8" r="6"/></svg> no place found, larger for more</li><li><svg width="16" height="16" aria-hidden="true"><path class="dots" d="M8 8h0"/></svg> terminal</li><li><svg width="16" height="16" aria-hidden="true"><path class="dots stores" d="M8 8h0"/></svg> store</li></ul>`;
  const fullest = html`<div><h3>Fullest places in this hour</h3><ol class="list" id="fullest"></ol><p class="note" id="cell" aria-live="polite">Point at a hexagon, or touch it, to read it.</p></div>`;
  const note = html`<p class="note">Each hexagon is an H3 cell of about 0.74 km². The bar at the bottom left is <span data-axis>${drawing.bar.km} km</span> long.</p>`;
  const every = Math.ceil(count / mostPrinted);
  const prints = Array.from({ length: Math.ceil(count / every) }, (_, index) => index * every).map(
    (step) =>
      html`<figure data-step="${step}"><svg viewBox="${viewBox}" role="img" aria-label="Map of one hour"></svg><figcaption>${figure(`steps.starts.${step}`, "time")}</figcaption></figure>`,
  );
  const data = {
    steps: { starts: steps.starts.slice(0, count) },
    occupancy: { bySteps: occupancy.bySteps.slice(0, count) },
    demand: { bySteps: demand.bySteps.slice(0, count).map(({ wanted, refused }) => ({ wanted, refused })) },
    cells: cells.map(({ around, installed, inUseBySteps, wantedBySteps, refusedBySteps }) => ({
      around,
      installed,
      inUseBySteps,
      wantedBySteps,
      refusedBySteps,
    })),
    centres: drawing.cells.map(({ x, y }) => [x, y]),
  };
  return section(
    "city",
    "The city, hour by hour",
    "How full the sites are, hexagon by hexagon, and where somebody found no place. Move through the hours, or let them play.",
    html`<div class="card map"><div class="canvas">${map}${legend}${note}</div><div class="panel">${live}${control}${fullest}</div></div><div class="hours" aria-hidden="true">${prints}</div><script type="application/json" id="data">${scriptJson(data)}</script>`,
  );
}
