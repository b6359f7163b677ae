import type { Region } from "@petak/protocol";
import { cellNumberInRegion, regionOfCell } from "../geo/region.ts";
import type { IndexRegion } from "./index-region.ts";

/** An index cell as searches know it. */
export interface IndexCell {
  /** Its H3 index. */
  readonly cell: string;
  readonly region: IndexRegion;
  /** Its number among the cells of its region. */
  readonly number: number;
  readonly blockKey: string;
}

/** Cells kept before they are made anew, as many as blocks are: about 80 MB. */
const cellsMax = 400_000;

/** Makes each cell once: the names of keys and the numbers of cells take longer to make than to use. */
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
