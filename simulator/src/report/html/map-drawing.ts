import { cellToBoundary } from "h3-js";
import type { CellFigures, SiteFigures } from "../report.ts";

/** A map of H3 cells and sites, in units of a drawing whose greater side is 1000. */
export interface MapDrawing {
  readonly width: number;
  readonly height: number;
  /** For each cell, the d of its path and its centre. */
  readonly cells: readonly { readonly d: string; readonly x: number; readonly y: number }[];
  /** Points of lockers and stores, as d of paths of no length. */
  readonly lockers: string;
  readonly stores: string;
  /** A bar of a round length: its length in units and in km. */
  readonly bar: { readonly units: number; readonly km: number };
}

const size = 1000;
const margin = 12;
const kmPerDegree = 111.195;

/** What a map shows. */
export interface Shown {
  readonly cells: readonly Pick<CellFigures, "cell">[];
  readonly sites: readonly Pick<SiteFigures, "latitude" | "longitude" | "isStore">[];
}

/**
 * Draws cells and sites, equirectangular with the scale of the middle latitude.
 *
 * @param frame what must find room in it, so that two maps have the same scale. Default: what is shown
 */
export function drawMap({ cells, sites }: Shown, frame: Shown = { cells, sites }): MapDrawing {
  const corners = frame.cells.flatMap(({ cell }) => cellToBoundary(cell));
  const points = [...corners, ...frame.sites.map(({ latitude, longitude }) => [latitude, longitude])] as [number, number][];
  const firstLongitude = points[0]?.[1] ?? 0;
  // Longitudes near the first one, so that a city at the 180th meridian stays in one piece.
  const unwrap = (longitude: number) => longitude - 360 * Math.round((longitude - firstLongitude) / 360);
  const rangeOf = (numbers: number[]) =>
    numbers.reduce(([least, most], one) => [Math.min(least, one), Math.max(most, one)] as const, [Infinity, -Infinity] as const);
  const [south, north] = points.length === 0 ? [0, 0] : rangeOf(points.map(([latitude]) => latitude));
  const [west, east] = points.length === 0 ? [0, 0] : rangeOf(points.map(([, longitude]) => unwrap(longitude)));
  const shrink = Math.cos((((south + north) / 2) * Math.PI) / 180);
  const perDegree = (size - 2 * margin) / Math.max((east - west) * shrink, north - south, 1e-6);
  const xOf = (longitude: number) => Math.round((unwrap(longitude) - west) * shrink * perDegree + margin);
  const yOf = (latitude: number) => Math.round((north - latitude) * perDegree + margin);
  const dotsOf = (isStore: boolean) =>
    sites
      .filter((site) => site.isStore === isStore)
      .map(({ latitude, longitude }) => `M${xOf(longitude)} ${yOf(latitude)}h0`)
      .join("");
  const unitsPerKm = perDegree / kmPerDegree;
  const km = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500].findLast((length) => length * unitsPerKm <= size / 4) ?? 0.1;
  return {
    width: Math.max(Math.round((east - west) * shrink * perDegree + 2 * margin), 200),
    height: Math.max(Math.round((north - south) * perDegree + 2 * margin), 200),
    cells: cells.map(({ cell }) => {
      const corners = cellToBoundary(cell).map(([latitude, longitude]) => [xOf(longitude), yOf(latitude)] as const);
      const mean = (axis: 0 | 1) => Math.round(corners.reduce((sum, corner) => sum + corner[axis], 0) / corners.length);
      return { d: `M${corners.map(([x, y]) => `${x} ${y}`).join("L")}Z`, x: mean(0), y: mean(1) };
    }),
    lockers: dotsOf(false),
    stores: dotsOf(true),
    bar: { units: Math.round(km * unitsPerKm), km },
  };
}
