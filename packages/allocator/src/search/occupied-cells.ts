import type { Region } from "@petak/protocol";
import { cellsPerRegion } from "../geo/region.ts";

/** A part of the Earth: a region, or the cell reached from it by H3 digits. */
export interface Area {
  region: Region;
  digits: readonly number[];
  /** Number, among the region's index cells, of the first one below this area. */
  firstCell: number;
}

/** The parts of an area that have a block, by the bitmap of its region. */
export function* occupiedChildren({ region, digits, firstCell }: Area, bitmap: Buffer): Generator<Area> {
  const cellsPerChild = cellsPerRegion / 7 ** (digits.length + 1);
  for (let digit = 0; digit < 7; digit++) {
    const childFirstCell = firstCell + digit * cellsPerChild;
    if (anyBit(bitmap, childFirstCell, childFirstCell + cellsPerChild)) {
      yield { region, digits: [...digits, digit], firstCell: childFirstCell };
    }
  }
}

/** Whether a bit in [from, to) is set, bits counted as Redis counts them: the most significant of a byte first. */
function anyBit(bitmap: Buffer, from: number, to: number): boolean {
  for (let bit = from; bit < to; ) {
    const byte = bitmap[bit >> 3];
    if (byte === undefined) return false;
    if (byte === 0) {
      bit = (bit | 7) + 1;
    } else if ((byte & (0x80 >> (bit & 7))) !== 0) {
      return true;
    } else {
      bit++;
    }
  }
  return false;
}
