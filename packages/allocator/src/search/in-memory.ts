import { earthRadiusM } from "@petak/protocol/geo";
import type { IndexCell } from "../h3-index/index-cell.ts";
import type { IndexReader } from "../h3-index/index-reader.ts";
import type { IndexRegion } from "../h3-index/index-region.ts";
import { isOccupied } from "../h3-index/occupied-cells.ts";
import type { NearestK } from "./nearest-k.ts";
import { type ScanContext, scanBlock } from "./scan-block.ts";
import { circleNumbers, type Surroundings } from "./surroundings.ts";

/**
 * Outcome of a search in memory. `done`: the nearest sites were found. `farther`: a site beyond the surroundings could be nearer than the
 * k-th. `unknown`: data has to be read first.
 */
export type MemorySearch = "done" | "farther" | "unknown";

/**
 * Scans the cached blocks of the surroundings, nearest cell first, until no farther cell could contribute a site. Synchronous, so that it
 * sees one consistent state of the cache.
 *
 * @param missing Receives the cells whose blocks have to be read. The search stops when there are `missingMax` of them.
 */
export function searchInMemory(
  reader: IndexReader,
  context: ScanContext,
  surroundings: Surroundings,
  nearestK: NearestK,
  missing: IndexCell[],
  missingMax: number,
): MemorySearch {
  const { cells, circles, leastM, beyondM } = surroundings;
  const [x, y, z] = context.point;
  const offsetM = surroundings.offsetM(context.point);
  let region: IndexRegion | undefined;
  let occupied: Buffer | undefined;
  let isAllKnown = true;
  for (let index = 0; index < cells.length; index++) {
    if ((leastM[index] as number) - offsetM > nearestK.reachM) return isAllKnown ? "done" : "unknown";
    const at = index * circleNumbers;
    const dx = (circles[at] as number) - x;
    const dy = (circles[at + 1] as number) - y;
    const dz = (circles[at + 2] as number) - z;
    const line = (nearestK.reachM + (circles[at + 3] as number)) / earthRadiusM;
    if (dx * dx + dy * dy + dz * dz > line * line) continue;
    const cell = cells[index] as IndexCell;
    const block = reader.knownBlock(cell);
    if (block === null) continue;
    if (block !== undefined) {
      if (!scanBlock(context, cell, block, nearestK)) isAllKnown = false;
      continue;
    }
    // Most cells without a cached block have no sites, as the bitmap shows.
    if (region !== cell.region) {
      region = cell.region;
      occupied = reader.knownOccupiedCells(region);
    }
    if (occupied !== undefined && !isOccupied(occupied, cell.number)) continue;
    isAllKnown = false;
    if (missing.push(cell) >= missingMax) return "unknown";
  }
  if (!isAllKnown) return "unknown";
  return beyondM - offsetM > nearestK.reachM ? "done" : "farther";
}
