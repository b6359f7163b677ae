import { cellToBoundary, cellToLatLng, getResolution } from "h3-js";
import { earthRadiusM, greatCircleM } from "./great-circle.ts";
import type { Position } from "./position.ts";
import { indexResolution } from "./region.ts";
import { type UnitPoint, unitPoint } from "./unit-point.ts";

/** A circle that holds every site that is filed under a cell. */
export interface CellBound {
  /** Its centre. */
  centre: Position;
  /** The same as a point of a sphere of radius 1. */
  point: UnitPoint;
  /** Its radius in m. */
  radiusM: number;
}

/**
 * How far descendants reach beyond their ancestor's circumscribed circle. H3's children jut out of their parent (a hexagon's
 * descendants fill a Gosper island); the greatest ratio over hexagons, pentagons and icosahedron edges stays below 1.12, which
 * cell-bound.test.ts checks.
 */
export const descendantReach = 1.15;

/** Positions are rounded and distances computed in doubles; a centimetre covers both. */
const slackM = 0.01;

/** Doubles say where points are on the other side of the Earth to some decimetres. */
const farSlackM = 1;

/** Cells kept before the cache starts anew: about 30 MB. */
const cacheMax = 100_000;

const cache = new Map<string, CellBound>();

/** The bound of a cell: around all its points for an index cell, around all its descendant index cells for a coarser one. */
export function cellBound(cell: string): CellBound {
  const known = cache.get(cell);
  if (known !== undefined) return known;
  const [latitude, longitude] = cellToLatLng(cell);
  const centre = { latitude, longitude };
  let radiusM = 0;
  for (const [cornerLatitude, cornerLongitude] of cellToBoundary(cell)) {
    radiusM = Math.max(radiusM, greatCircleM(centre, { latitude: cornerLatitude, longitude: cornerLongitude }));
  }
  const reach = getResolution(cell) === indexResolution ? 1 : descendantReach;
  const bound = { centre, point: unitPoint(centre), radiusM: radiusM * reach + slackM };
  if (cache.size >= cacheMax) cache.clear();
  cache.set(cell, bound);
  return bound;
}

/** The least distance in m at which anything filed under a cell could lie from a position. True for every cell on Earth. */
export function leastDistanceM(position: Position, cell: string): number {
  const { centre, radiusM } = cellBound(cell);
  return Math.max(0, greatCircleM(position, centre) - radiusM);
}

/** {@link leastDistanceM} of a point and a bound, less a metre at most, and faster. */
export function leastFromPointM([x, y, z]: UnitPoint, { point, radiusM }: CellBound): number {
  const [dx, dy, dz] = [point[0] - x, point[1] - y, point[2] - z];
  const halfLine = Math.sqrt(dx * dx + dy * dy + dz * dz) / 2;
  return Math.max(0, 2 * earthRadiusM * Math.asin(Math.min(1, halfLine)) - radiusM - farSlackM);
}
