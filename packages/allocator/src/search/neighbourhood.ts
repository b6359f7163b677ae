import type { Region } from "@petak/protocol";
import { gridDiskDistances } from "h3-js";
import { cellBound, leastDistanceM } from "../geo/cell-bound.ts";
import type { Position } from "../geo/position.ts";
import { regionOfCell } from "../geo/region.ts";

/** An index cell and its region. */
export interface CellInRegion {
  cell: string;
  region: Region;
}

/** What is read first around an origin. */
export interface Neighbourhood {
  /** The origin's index cell and those around it. */
  near: CellInRegion[];
  /** The ring around `near`. Whoever is not in `near` is filed in this ring or beyond it. */
  ring: string[];
  /** The least distance in m from anything filed in the centre to anything that is filed neither there nor around it. */
  leastBeyondM: number;
}

/** Neighbourhoods kept before the cache starts anew: about 40 MB. */
const cacheMax = 20_000;

const cache = new Map<string, Neighbourhood>();

/** The neighbourhood of an index cell. Right at pentagons too. */
export function neighbourhoodOf(cell: string): Neighbourhood {
  const known = cache.get(cell);
  if (known !== undefined) return known;
  const [centre = [], first = [], ring = []] = gridDiskDistances(cell, 2);
  const middle = cellBound(cell);
  const neighbourhood = {
    near: [...centre, ...first].map((near) => ({ cell: near, region: regionOfCell(near) })),
    ring,
    leastBeyondM: Math.min(...ring.map((outside) => leastDistanceM(middle.centre, outside))) - middle.radiusM,
  };
  if (cache.size >= cacheMax) cache.clear();
  cache.set(cell, neighbourhood);
  return neighbourhood;
}

/**
 * The least distance in m from a position in the neighbourhood's centre at which anything outside `near` could lie: the way out leads
 * through a cell of the ring.
 */
export function leastDistanceBeyondM(position: Position, { ring }: Neighbourhood): number {
  let least = Number.POSITIVE_INFINITY;
  for (const cell of ring) least = Math.min(least, leastDistanceM(position, cell));
  return least;
}
