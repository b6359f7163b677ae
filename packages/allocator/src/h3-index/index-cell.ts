import type { Region } from "@petak/protocol";
import { cellNumberInRegion, regionOfCell } from "../geo/region.ts";
import type { IndexRegion } from "./index-region.ts";

/** An index cell, with the derived data that searches use. */
export interface IndexCell {
  /** Its H3 index. */
  readonly cell: string;
  readonly region: IndexRegion;
  /** Its number within the region. */
  readonly number: number;
  readonly blockKey: string;
}

/** Greatest number of cells kept, as many as blocks are cached: about 80 MB. All are discarded when it is reached. */
const cellsMax = 400_000;

/** Returns a memoised lookup of index cells: deriving key names and cell numbers is slower than looking them up. */
export function createIndexCells(
  regionOf: (region: Region) => IndexRegion,
  blockKey: (region: Region, cell: string) => string,
): (cell: string) => IndexCell {
  const cells = new Map<string, IndexCell>();
  return (cell) => {
    let known = cells.get(cell);
    if (known === undefined) {
      if (cells.size >= cellsMax) cells.clear();
      const region = regionOf(regionOfCell(cell));
      known = { cell, region, number: cellNumberInRegion(cell), blockKey: blockKey(region.region, cell) };
      cells.set(cell, known);
    }
    return known;
  };
}
