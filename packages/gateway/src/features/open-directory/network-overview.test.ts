import { createRandom, testSeed } from "@petak/testkit";
import { expect, it } from "vitest";
import { type MappedSite, overviewOf } from "./network-overview.ts";

const at = (latitude: number, longitude: number, more: Partial<MappedSite> = {}): MappedSite => ({
  ...{ latitude, longitude, countryCode: "SG", locality: "Singapore", free: 4 },
  ...more,
});

it("has nothing to show of no sites", async () => {
  expect(await overviewOf([])).toBeUndefined();
});

it("shows one site in the middle of a map of some kilometres", async () => {
  const overview = await overviewOf([at(1.3, 103.8)]);
  expect(overview?.frame).toMatchObject({ columns: 24, rows: 12, step: 0.01 });
  expect(overview?.cells).toEqual([{ column: 12, row: expect.any(Number), sites: 1, sitesKnown: 1, placesFree: 4 }]);
  expect([5, 6]).toContain(overview?.cells[0]?.row);
});

it("names the towns of one country, and the countries of several, those with the most sites first", async () => {
  const towns = await overviewOf([
    at(1.3, 103.8),
    at(1.4, 103.9, { locality: "Tampines", free: undefined }),
    at(1.4, 103.9, { locality: "Tampines" }),
  ]);
  expect([towns?.partKind, towns?.parts]).toEqual([
    "town",
    [
      { name: "Tampines", sites: 2, sitesKnown: 1, placesFree: 4 },
      { name: "Singapore", sites: 1, sitesKnown: 1, placesFree: 4 },
    ],
  ]);
  const countries = await overviewOf([at(1.3, 103.8), at(13.7, 100.5, { countryCode: "TH" })]);
  expect([countries?.partKind, countries?.parts.map(({ name }) => name)]).toEqual(["country", ["SG", "TH"]]);
});

it("keeps together what lies on both sides of the 180th meridian", async () => {
  const overview = await overviewOf([at(-17.7, 178.1), at(-16.8, -179.9), at(-18.1, 178.4)]);
  const { frame, cells = [] } = overview ?? {};
  expect((frame?.columns ?? 0) * (frame?.step ?? 0)).toBeLessThan(5);
  expect(Math.max(...cells.map(({ column }) => column)) - Math.min(...cells.map(({ column }) => column))).toBeGreaterThan(5);
});

it("has sites all around the world once, each in its own square", async () => {
  const longitudes = Array.from({ length: 360 }, (_, degree) => degree - 180);
  const { frame, cells } = (await overviewOf(longitudes.map((longitude) => at(0, longitude)))) ?? expect.fail("nothing to show");
  const columns = cells.map(({ column }) => column);
  expect([Math.min(...columns), Math.max(...columns)]).toEqual([1, frame.columns - 2]);
});

it(`has a bounded size, and every site in a square that is not at the edge (seed ${testSeed()})`, async () => {
  const random = createRandom(testSeed());
  for (let round = 0; round < 20; round++) {
    const [spread, middle] = [180 * random.float() ** 4, 360 * random.float() - 180];
    const sites = Array.from({ length: random.int(1, 6000) }, (_, index) => {
      const longitude = ((middle + spread * (2 * random.float() - 1) + 540) % 360) - 180;
      return at((spread / 2) * (2 * random.float() - 1), longitude, {
        locality: `Town ${index % 50}`,
        free: index % 3 === 0 ? undefined : 2,
      });
    });
    const { frame, cells, parts, partsLeft } = (await overviewOf(sites)) ?? expect.fail("nothing to show");
    expect(cells.length).toBeLessThanOrEqual(48 * 28);
    expect(cells.reduce((sum, cell) => sum + cell.sites, 0)).toBe(sites.length);
    for (const { column, row } of cells) {
      expect(column > 0 && column < frame.columns - 1 && row > 0 && row < frame.rows - 1, `${column}, ${row}`).toBe(true);
    }
    expect(parts.length + partsLeft).toBe(Math.min(50, sites.length));
    expect(parts.length).toBeLessThanOrEqual(12);
  }
});
