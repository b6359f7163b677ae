import { earthRadiusM, greatCircleM, type Position } from "@petak/protocol/geo";
import { cellToBoundary, cellToLatLng, getResolution } from "h3-js";
import { indexResolution } from "./region.ts";
import { type UnitPoint, unitPoint } from "./unit-point.ts";

/** A circle on the Earth that contains every site indexed under a cell. */
export interface CellBound {
  /** Its centre. */
  centre: Position;
  /** The centre on the unit sphere. */
  point: UnitPoint;
  /** Radius in m. */
  radiusM: number;
}

/**
 * Factor by which descendant cells extend beyond their ancestor's circumscribed circle. H3 children extend beyond their parent (a hexagon's
 * descendants fill a Gosper island). The greatest ratio over hexagons, pentagons and icosahedron edges is below 1.12, as cell-bound.test.ts
 * checks.
 */
export const descendantReach = 1.15;

/** Tolerance in m for rounded positions and for distances computed in doubles. */
const slackM = 0.01;

/** Tolerance in m for chord distances: near the antipode, doubles are accurate to some decimetres only. */
const farSlackM = 1;

/** Greatest number of cached cells, about 30 MB; the cache is cleared when it is full. */
const cacheMax = 100_000;

const cache = new Map<string, CellBound>();

/** The bound of a cell: of its own area for an index cell, of all its descendant index cells for a coarser one. */
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

/** Lower bound, in m, of the distance from a position to anything indexed under a cell. Holds everywhere on Earth. */
export function leastDistanceM(position: Position, cell: string): number {
  const { centre, radiusM } = cellBound(cell);
  return Math.max(0, greatCircleM(position, centre) - radiusM);
}

/** A faster form of {@link leastDistanceM}; its result is at most 1 m lower. */
export function leastFromPointM([x, y, z]: UnitPoint, { point, radiusM }: CellBound): number {
  const [dx, dy, dz] = [point[0] - x, point[1] - y, point[2] - z];
  const halfLine = Math.sqrt(dx * dx + dy * dy + dz * dz) / 2;
  return Math.max(0, 2 * earthRadiusM * Math.asin(Math.min(1, halfLine)) - radiusM - farSlackM);
}
