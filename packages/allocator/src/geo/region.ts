import type { Region } from "@petak/protocol";
import { cellToParent, latLngToCell } from "h3-js";
import type { Position } from "./position.ts";

/** H3 resolution of the index: cells of 0.74 km² on average. */
export const indexResolution = 8;

/** H3 resolution of a region: cells of 12,393 km² on average. */
export const regionResolution = 3;

/** Several parts of one request ask about the same position, and the library takes a microsecond or two for an answer. */
let last = { latitude: Number.NaN, longitude: Number.NaN, cell: "" };
let lastRegion = { cell: "", region: "" };

/** The index cell in which a position lies. */
export function indexCellOf({ latitude, longitude }: Position): string {
  if (latitude !== last.latitude || longitude !== last.longitude) {
    last = { latitude, longitude, cell: latLngToCell(latitude, longitude, indexResolution) };
  }
  return last.cell;
}

/**
 * The region of an index cell. H3's hierarchy does not nest exactly, so a position's region is defined by the parent of its index cell
 * and not by the region cell that contains the position: a block and everything about its sites must share one hash tag.
 */
export function regionOfCell(cell: string): Region {
  if (cell !== lastRegion.cell) lastRegion = { cell, region: cellToParent(cell, regionResolution).slice(0, 6) };
  return lastRegion.region;
}

/** The H3 index of a region. */
export function regionCell(region: Region): string {
  return `${region}fffffffff`;
}

/** Index cells of one region: 7 children a step, from resolution 3 to 8. */
export const cellsPerRegion = 7 ** (indexResolution - regionResolution);

/** The number of an index cell among those of its region, in [0, 16807): its H3 digits of resolution 4 to 8, read in base 7. */
export function cellNumberInRegion(cell: string): number {
  const index = BigInt(`0x${cell}`);
  let number = 0;
  for (let resolution = regionResolution + 1; resolution <= indexResolution; resolution++) {
    number = number * 7 + Number((index >> BigInt(3 * (15 - resolution))) & 7n);
  }
  return number;
}

/** The H3 index of the cell that is reached from a region by digits, one for each resolution from 4 on, at most five. */
export function descendantCell(region: Region, digits: readonly number[]): string {
  const resolution = BigInt(regionResolution + digits.length);
  let index = (BigInt(`0x${regionCell(region)}`) & ~(0xfn << 52n)) | (resolution << 52n);
  digits.forEach((digit, step) => {
    const shift = BigInt(3 * (15 - (regionResolution + 1 + step)));
    index = (index & ~(7n << shift)) | (BigInt(digit) << shift);
  });
  return index.toString(16);
}
