import type { Region } from "@petak/protocol";
import type { Position } from "@petak/protocol/geo";
import { cellToParent, latLngToCell } from "h3-js";

/** H3 resolution of the index: cells of 0.74 km² on average. */
export const indexResolution = 8;

/** H3 resolution of a region: cells of 12,393 km² on average. */
export const regionResolution = 3;

/** Memo of the last call: several parts of one request ask about the same position, and h3-js takes one or two microseconds. */
let last = { latitude: Number.NaN, longitude: Number.NaN, cell: "" };
let lastRegion = { cell: "", region: "" };

/** The index cell that contains a position. */
export function indexCellOf({ latitude, longitude }: Position): string {
  if (latitude !== last.latitude || longitude !== last.longitude) {
    last = { latitude, longitude, cell: latLngToCell(latitude, longitude, indexResolution) };
  }
  return last.cell;
}

/**
 * The region of an index cell. H3 cells do not nest exactly, so the region of a position is defined as the parent of its index cell, not as
 * the region cell that contains the position: a block and all data about its sites must share one hash tag.
 */
export function regionOfCell(cell: string): Region {
  if (cell !== lastRegion.cell) lastRegion = { cell, region: cellToParent(cell, regionResolution).slice(0, 6) };
  return lastRegion.region;
}

/** The H3 index of a region. */
export function regionCell(region: Region): string {
  return `${region}fffffffff`;
}

/** Index cells of one region: 7 children per resolution from 3 to 8. */
export const cellsPerRegion = 7 ** (indexResolution - regionResolution);

/** The number of an index cell in its region, in [0, 16807): its H3 digits of resolutions 4 to 8, read in base 7. */
export function cellNumberInRegion(cell: string): number {
  const index = BigInt(`0x${cell}`);
  let number = 0;
  for (let resolution = regionResolution + 1; resolution <= indexResolution; resolution++) {
    number = number * 7 + Number((index >> BigInt(3 * (15 - resolution))) & 7n);
  }
  return number;
}

/** The H3 index of a region's descendant cell, given by its digits for resolutions 4 and up; at most five. */
export function descendantCell(region: Region, digits: readonly number[]): string {
  const resolution = BigInt(regionResolution + digits.length);
  let index = (BigInt(`0x${regionCell(region)}`) & ~(0xfn << 52n)) | (resolution << 52n);
  digits.forEach((digit, step) => {
    const shift = BigInt(3 * (15 - (regionResolution + 1 + step)));
    index = (index & ~(7n << shift)) | (BigInt(digit) << shift);
  });
  return index.toString(16);
}
