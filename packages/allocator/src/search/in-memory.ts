import { earthRadiusM } from "../geo/great-circle.ts";
import type { IndexCell } from "../h3-index/index-cell.ts";
import type { IndexReader } from "../h3-index/index-reader.ts";
import type { IndexRegion } from "../h3-index/index-region.ts";
import { isOccupied } from "../h3-index/occupied-cells.ts";
import type { Best } from "./best.ts";
import { type ScanContext, scanBlock } from "./scan-block.ts";
import { circleNumbers, type Surroundings } from "./surroundings.ts";

/**
 * What a search in memory came to: `done`, the best are the nearest there are; `farther`, something beyond the surroundings could be nearer
 * than the worst of the best; or `unknown`, something has to be read first.
 */
export type MemorySearch = "done" | "farther" | "unknown";

/**
 * Looks at the cells of surroundings, nearest first, until nothing farther could enter the best, as far as it knows of them. It takes no turn
 * but its own, so that all it sees is of one state of the memory.
 *
 * @param missing Takes cells whose blocks have to be read. It gives up when it knows of as many as `missingMax`.
 */
export function searchInMemory(
  reader: IndexReader,
  context: ScanContext,
  surroundings: Surroundings,
  best: Best,
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
    if ((leastM[index] as number) - offsetM > best.reachM) return isAllKnown ? "done" : "unknown";
    const at = index * circleNumbers;
    const dx = (circles[at] as number) - x;
    const dy = (circles[at + 1] as number) - y;
    const dz = (circles[at + 2] as number) - z;
    const line = (best.reachM + (circles[at + 3] as number)) / earthRadiusM;
    if (dx * dx + dy * dy + dz * dz > line * line) continue;
    const cell = cells[index] as IndexCell;
    const block = reader.knownBlock(cell);
    if (block === null) continue;
    if (block !== undefined) {
      if (!scanBlock(context, cell, block, best)) isAllKnown = false;
      continue;
    }
    // Most cells that are not in memory have no sites.
    if (region !== cell.region) {
      region = cell.region;
      occupied = reader.knownOccupiedCells(region);
    }
    if (occupied !== undefined && !isOccupied(occupied, cell.number)) continue;
    isAllKnown = false;
    if (missing.push(cell) >= missingMax) return "unknown";
  }
  if (!isAllKnown) return "unknown";
  return beyondM - offsetM > best.reachM ? "done" : "farther";
}
