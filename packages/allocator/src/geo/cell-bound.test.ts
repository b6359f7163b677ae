import { greatCircleM } from "@petak/protocol/geo";
import { createRandom, testSeed } from "@petak/testkit";
import { cellToChildren, cellToLatLng, cellToParent, getPentagons, gridDisk, latLngToCell } from "h3-js";
import { describe, expect, it } from "vitest";
import { cellBound, leastDistanceM, leastFromPointM } from "./cell-bound.ts";
import {
  cellNumberInRegion,
  cellsPerRegion,
  descendantCell,
  indexResolution,
  regionCell,
  regionOfCell,
  regionResolution,
} from "./region.ts";
import { unitPoint } from "./unit-point.ts";

/** Cells around all pentagons, where distortion is greatest, and random cells. */
function sampleCells(resolution: number, count: number): string[] {
  const random = createRandom(testSeed());
  const cells = getPentagons(resolution).flatMap((pentagon) => gridDisk(pentagon, 1));
  for (let index = 0; index < count; index++) {
    const latitude = (Math.asin(random.float(-1, 1)) * 180) / Math.PI;
    cells.push(latLngToCell(latitude, random.float(-180, 180), resolution));
  }
  return cells;
}

describe("the bound of a cell", () => {
  it.each([
    [3, 30],
    [4, 60],
    [5, 200],
    [6, 500],
    [7, 1000],
  ])("of resolution %i contains all of its descendants", (resolution, count) => {
    for (const cell of sampleCells(resolution, count)) {
      const { centre, radiusM } = cellBound(cell);
      // The farthest descendants are found among the grandchildren; their own bounds cover deeper levels.
      for (const descendant of cellToChildren(cell, Math.min(indexResolution, resolution + 2))) {
        const [latitude, longitude] = cellToLatLng(descendant);
        const reach = greatCircleM(centre, { latitude, longitude });
        const inner = resolution + 2 >= indexResolution ? cellBound(descendant).radiusM : 0;
        expect(reach + inner, cell).toBeLessThanOrEqual(radiusM);
      }
    }
  });

  it("is never farther than any point of the cell", () => {
    const random = createRandom(testSeed());
    for (let round = 0; round < 5000; round++) {
      const point = { latitude: random.float(-90, 90), longitude: random.float(-180, 180) };
      const opposite = { latitude: -point.latitude, longitude: point.longitude > 0 ? point.longitude - 180 : point.longitude + 180 };
      const origin = random.bool(0.2) ? opposite : { latitude: random.float(-90, 90), longitude: random.float(-180, 180) };
      const cell = latLngToCell(point.latitude, point.longitude, indexResolution);
      for (let resolution = regionResolution; resolution <= indexResolution; resolution++) {
        const parent = cellToParent(cell, resolution);
        expect(leastDistanceM(origin, parent)).toBeLessThanOrEqual(greatCircleM(origin, point));
        expect(leastFromPointM(unitPoint(origin), cellBound(parent))).toBeLessThanOrEqual(greatCircleM(origin, point));
      }
    }
  });
});

describe("a cell's number in its region", () => {
  it("identifies the cell", () => {
    const random = createRandom(testSeed());
    for (let round = 0; round < 2000; round++) {
      const cell = latLngToCell(random.float(-90, 90), random.float(-180, 180), indexResolution);
      const region = regionOfCell(cell);
      const number = cellNumberInRegion(cell);
      expect(number).toBeLessThan(cellsPerRegion);
      const digits = [4, 3, 2, 1, 0].map((power) => Math.floor(number / 7 ** power) % 7);
      expect(descendantCell(region, digits)).toBe(cell);
      expect(regionCell(region)).toBe(cellToParent(cell, regionResolution));
    }
  });
});
