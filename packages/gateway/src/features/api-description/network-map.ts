import type { NetworkCell, NetworkFrame, NetworkOverview } from "../open-directory/network-overview.ts";
import { landRings } from "./land.ts";

/** The side of a square of the grid, in units of the drawing. */
const square = 20;

/** Below this width, in degrees, the outlines of land are too rough to help. */
const landFromDegrees = 12;

/** How far beyond the edges land is drawn, in units: further than its longest edges, so that none is seen bent. */
const beyond = 400;

const dotRadius = { min: 4, max: 9.5 };

/** The three looks of a dot, in the order in which they are drawn. */
type Look = "unknown" | "full" | "free";

/** The map of a network as SVG, without scripts. Its looks are in the style sheet of the pages. */
export function networkMap({ frame, cells }: NetworkOverview): string {
  const [width, height] = [frame.columns * square, frame.rows * square];
  const { lines, texts } = graticule(frame);
  const placesMax = Math.max(1, ...cells.map(({ placesFree }) => placesFree));
  const dots = (["unknown", "full", "free"] as const).map((look) => {
    const ofLook = cells.filter((cell) => lookOf(cell) === look);
    return `<g class="${look}">${ofLook.map((cell) => dot(cell, placesMax)).join("")}</g>`;
  });
  return `<svg class="map" viewBox="0 0 ${width} ${height}" role="img" aria-label="Map of the network, a dot for each square with sites. The table below has the numbers.">${land(frame)}${lines}${dots.join("")}${texts}</svg>`;
}

/** What the dots of the map mean. */
export function mapLegend({ frame }: NetworkOverview): string {
  const km = frame.step * 111;
  const side = km < 10 ? km.toFixed(1) : Math.round(km).toLocaleString("en");
  const item = (look: Look, radii: readonly number[], words: string) => {
    const circles = radii.map((radius, index) => `<circle cx="${10 + 20 * index}" cy="10" r="${radius}"/>`).join("");
    const width = 20 * radii.length;
    return `<li><svg class="map-key" width="${width}" height="20" viewBox="0 0 ${width} 20" aria-hidden="true"><g class="${look}">${circles}</g></svg>${words}</li>`;
  };
  return `<ul class="legend">${item("free", [dotRadius.min, dotRadius.max], "places free: the larger, the more")}${item("full", [6], "full")}${item("unknown", [6], "not known now, or closed to new parcels")}<li>Each dot is a square of ${side} km.</li></ul>`;
}

function lookOf({ sitesKnown, placesFree }: NetworkCell): Look {
  if (placesFree > 0) return "free";
  return sitesKnown > 0 ? "full" : "unknown";
}

function dot(cell: NetworkCell, placesMax: number): string {
  const { column, row, sites, sitesKnown, placesFree } = cell;
  const isFree = placesFree > 0;
  const radius = isFree ? dotRadius.min + (dotRadius.max - dotRadius.min) * Math.sqrt(placesFree / placesMax) : dotRadius.min;
  const free = sitesKnown === 0 ? "free places not known" : `${placesFree.toLocaleString("en")} places free`;
  const words = `${sites.toLocaleString("en")} ${sites === 1 ? "site" : "sites"}, ${free}`;
  return `<circle cx="${(column + 0.5) * square}" cy="${(row + 0.5) * square}" r="${radius.toFixed(1)}"><title>${words}</title></circle>`;
}

function xOf({ west, longitudeScale, step }: NetworkFrame, longitude: number): number {
  return ((longitude - west) * longitudeScale * square) / step;
}

function yOf({ north, step }: NetworkFrame, latitude: number): number {
  return ((north - latitude) * square) / step;
}

function widthOf({ columns, step, longitudeScale }: NetworkFrame): number {
  return (columns * step) / longitudeScale;
}

/** The land in the frame. What is far outside is drawn on the edge of a larger rectangle, which takes fewer bytes and looks the same. */
function land(frame: NetworkFrame): string {
  const width = widthOf(frame);
  if (width < landFromDegrees) return "";
  const [xMax, yMax] = [frame.columns * square + beyond, frame.rows * square + beyond];
  let path = "";
  for (const { positions, west, east } of landRings()) {
    for (const turn of [-360, 0, 360]) {
      if (east + turn < frame.west || west + turn > frame.west + width) continue;
      const points: string[] = [];
      for (let index = 0; index < positions.length; index += 2) {
        const x = Math.round(Math.max(-beyond, Math.min(xMax, xOf(frame, (positions[index] ?? 0) + turn))));
        const y = Math.round(Math.max(-beyond, Math.min(yMax, yOf(frame, positions[index + 1] ?? 0))));
        const point = `${x} ${y}`;
        if (points.at(-1) !== point) points.push(point);
      }
      if (points.length > 2) path += `M${points.join("L")}Z`;
    }
  }
  return path === "" ? "" : `<path class="land" d="${path}"/>`;
}

const lineSteps = [45, 30, 20, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05];

/** Lines of longitude and latitude, four or more in the width, and their degrees. */
function graticule(frame: NetworkFrame): { lines: string; texts: string } {
  const { west, north, rows, step, columns } = frame;
  const [width, height] = [widthOf(frame), rows * step];
  const each = lineSteps.find((one) => width / one >= 4) ?? 0.05;
  const digits = each < 0.1 ? 2 : each < 1 ? 1 : 0;
  const degrees = (value: number, [plus, minus]: readonly [string, string]) =>
    `${Math.abs(value).toFixed(digits)}°${Number(value.toFixed(digits)) === 0 ? "" : ` ${value > 0 ? plus : minus}`}`;
  let [lines, texts] = ["", ""];
  for (let index = Math.ceil(west / each); index * each < west + width; index++) {
    const x = xOf(frame, index * each);
    lines += `M${x.toFixed(1)} 0V${rows * square}`;
    // At the east edge it would be cut off.
    if (x < columns * square - 64)
      texts += `<text x="${x.toFixed(1)}" y="${rows * square - 6}" dx="4">${degrees(((index * each + 900) % 360) - 180, ["E", "W"])}</text>`;
  }
  for (let index = Math.ceil((north - height) / each); index * each < north; index++) {
    if (Math.abs(index * each) > 90) continue;
    const y = yOf(frame, index * each);
    lines += `M0 ${y.toFixed(1)}H${columns * square}`;
    // At the north edge it would be cut off.
    if (y > square) texts += `<text x="4" y="${y.toFixed(1)}" dy="-4">${degrees(index * each, ["N", "S"])}</text>`;
  }
  return { lines: `<path class="graticule" d="${lines}"/>`, texts };
}
