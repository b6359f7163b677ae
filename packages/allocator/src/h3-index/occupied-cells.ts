import type { Region } from "@petak/protocol";
import { cellsPerRegion, descendantCell } from "../geo/region.ts";

/** Whether a cell has a block. The bitmap is in Redis bit order: the most significant bit of each byte first. */
export function isOccupied(bitmap: Buffer, cellNumber: number): boolean {
  return ((bitmap[cellNumber >> 3] ?? 0) & (0x80 >> (cellNumber & 7))) !== 0;
}

/** Whether any of the cells with numbers in [from, to) has a block. */
export function isAnyOccupied(bitmap: Buffer, from: number, to: number): boolean {
  for (let number = from; number < to; ) {
    const byte = bitmap[number >> 3];
    if (byte === undefined) return false;
    if (byte === 0) {
      number = (number | 7) + 1;
    } else if ((byte & (0x80 >> (number & 7))) !== 0) {
      return true;
    } else {
      number++;
    }
  }
  return false;
}

/** The H3 indexes of a region's cells that have a block. */
export function occupiedCells(region: Region, bitmap: Buffer): string[] {
  const cells: string[] = [];
  for (let number = 0; number < cellsPerRegion; number++) {
    if (!isOccupied(bitmap, number)) continue;
    const digits = [7 ** 4, 7 ** 3, 7 ** 2, 7, 1].map((place) => Math.floor(number / place) % 7);
    cells.push(descendantCell(region, digits));
  }
  return cells;
}
