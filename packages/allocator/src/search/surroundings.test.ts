import { greatCircleM, type Position } from "@petak/protocol/geo";
import { createRandom, testSeed } from "@petak/testkit";
import { cellToLatLng, getPentagons } from "h3-js";
import { describe, expect, it } from "vitest";
import { indexCellOf } from "../geo/region.ts";
import { unitPoint } from "../geo/unit-point.ts";
import { createIndexCells } from "../h3-index/index-cell.ts";
import { IndexRegion } from "../h3-index/index-region.ts";
import { createSurroundings } from "./surroundings.ts";

const cellOf = createIndexCells(
  (region) => new IndexRegion(region),
  (region, cell) => `${region}:${cell}`,
);

const places: Position[] = [
  ...getPentagons(8).map((cell) => ({ latitude: cellToLatLng(cell)[0], longitude: cellToLatLng(cell)[1] })),
  { latitude: 90, longitude: 0 },
  { latitude: -90, longitude: 45 },
  { latitude: 0, longitude: 180 },
  { latitude: 0, longitude: -180 },
  { latitude: 1.3, longitude: 103.8 },
];

describe("the surroundings of a point", () => {
  it.each([
    { squaresPerDegree: 180, rings: 3, max: 100, rounds: 2000 },
    { squaresPerDegree: 45, rings: 12, max: 10, rounds: 300 },
  ])("never overestimate a distance ($rings rings)", ({ rounds, ...options }) => {
    const random = createRandom(testSeed());
    const surroundingsOf = createSurroundings(options, cellOf);
    const around = ({ latitude, longitude }: Position, spread: number): Position => ({
      latitude: Math.min(90, Math.max(-90, latitude + random.float(-spread, spread))),
      longitude: ((((longitude + random.float(-spread, spread) + 180) % 360) + 360) % 360) - 180,
    });
    let inside = 0;
    let outside = 0;
    for (let round = 0; round < rounds; round++) {
      const origin = around(random.pick(places), 0.01);
      const point = around(origin, random.pick([0.005, 0.05, 0.2]));
      const surroundings = surroundingsOf(origin);
      const place = surroundings.cells.findIndex(({ cell }) => cell === indexCellOf(point));
      const leastM = (place < 0 ? surroundings.beyondM : (surroundings.leastM[place] as number)) - surroundings.offsetM(unitPoint(origin));
      expect(leastM, JSON.stringify({ origin, point })).toBeLessThanOrEqual(greatCircleM(origin, point));
      if (place < 0) outside += 1;
      else inside += 1;
    }
    expect(Math.min(inside, outside)).toBeGreaterThan(10);
  });

  it("list their cells by lower bound of distance", () => {
    for (const place of places) {
      const { leastM } = createSurroundings({ squaresPerDegree: 180, rings: 3, max: 10 }, cellOf)(place);
      expect([...leastM]).toEqual([...leastM].sort((a, b) => a - b));
    }
  });
});
