import { greatCircleM } from "@petak/protocol/geo";
import { createRandom as createTestRandom, testSeed } from "@petak/testkit";
import { describe, expect, it } from "vitest";
import { createRandom } from "../random/random.ts";
import { AliasTable } from "./alias-table.ts";
import type { People } from "./people.ts";
import { peopleAtPoints, readPoints } from "./points.ts";
import { isInPolygon, type LngLat, polygonOf } from "./polygon.ts";
import { drawPointIn, peopleInPolygons } from "./polygon-people.ts";
import { readPolygons } from "./read-polygons.ts";
import { peopleOfCity } from "./synthetic-city.ts";
import { weighPoints } from "./weigh-points.ts";

const rowsOf = (csv: string) => csv.split("\n").map((line, index) => ({ line: index + 1, cells: line.split(",") }));
const square = (west: number, south: number, side: number): LngLat[] => [
  [west, south],
  [west + side, south],
  [west + side, south + side],
  [west, south + side],
  [west, south],
];
const feature = (type: string, coordinates: unknown, properties: object = { residents: 10 }) => ({
  line: 3,
  value: { type: "Feature", properties, geometry: { type, coordinates } },
});
const drawMany = (people: People, count: number, seed = testSeed()) => {
  const random = createRandom(seed, "who");
  return Array.from({ length: count }, () => people.draw(random));
};

describe("an alias table", () => {
  it("draws each index as often as its weight, and never one of weight 0", () => {
    const random = createTestRandom(testSeed());
    const weights = Array.from({ length: 50 }, () => (random.bool(0.2) ? 0 : random.float(0, 10) ** 2));
    const sum = weights.reduce((all, weight) => all + weight, 0);
    const table = new AliasTable(weights);
    const source = createRandom(testSeed(), "alias");
    const counts = weights.map(() => 0);
    const draws = 200_000;
    for (let draw = 0; draw < draws; draw++) {
      const index = table.draw(source);
      counts[index] = (counts[index] ?? 0) + 1;
    }
    for (const [index, weight] of weights.entries()) {
      const expected = (weight / sum) * draws;
      expect(Math.abs((counts[index] ?? 0) - expected)).toBeLessThanOrEqual(6 * Math.sqrt(expected) + 2);
    }
  });

  it("refuses weights of which nothing can be drawn", () => {
    expect(() => new AliasTable([0, 0])).toThrow(/all weights are 0/);
    expect(() => new AliasTable([1, -1])).toThrow(/not -1/);
    expect(() => new AliasTable([Number.NaN])).toThrow(/not NaN/);
  });
});

describe("points", () => {
  it("are read with their weights, and people live at them in proportion", async () => {
    const points = await readPoints(rowsOf("n,lat,lng\n3,1.3,103.8\n1,1.4,103.9\n0,0,0"), "p.csv", {
      latitude: "lat",
      longitude: "lng",
      weight: "n",
    });
    const drawn = drawMany(peopleAtPoints(points, 4000), 4000);
    const north = drawn.filter(({ latitude }) => latitude === 1.4);
    expect(Math.abs(north.length - 1000)).toBeLessThan(170);
    expect(drawn.some(({ latitude }) => latitude === 0)).toBe(false);
    // Of 1,000 people who live there, some are drawn twice, and most are not.
    const different = new Set(north.map(({ person }) => person)).size;
    expect(different).toBeGreaterThan(550);
    expect(different).toBeLessThan(north.length);
  });

  it.each([
    ["lat,lng\n91,1", /line 2, lat: "91" is outside -90 to 90 degrees; are latitude and longitude swapped/],
    ["lat,lng\n1,", /line 2, lng: "" is not a number/],
    ["lat\n1", /line 1: there is no column "lng"/],
    ["lat,lng", /has no point with a weight above 0/],
  ])("refuses %j", async (csv, message) => {
    await expect(readPoints(rowsOf(csv), "p.csv", { latitude: "lat", longitude: "lng" })).rejects.toThrow(message);
  });
});

describe("polygons", () => {
  const withHole = [square(0, 0, 10), square(2, 2, 6)];

  it("hold what is in them and not in their holes; even shares over the area", () => {
    const polygon = polygonOf(withHole);
    expect(polygon.area).toBe(64);
    const random = createRandom(testSeed(), "in");
    const drawn = Array.from({ length: 4000 }, () => drawPointIn(polygon, random));
    expect(drawn.every(({ latitude, longitude }) => isInPolygon(polygon, longitude, latitude))).toBe(true);
    expect(drawn.some(({ latitude, longitude }) => longitude > 2 && longitude < 8 && latitude > 2 && latitude < 8)).toBe(false);
    const west = drawn.filter(({ longitude }) => longitude < 2).length;
    expect(Math.abs(west - (4000 * 20) / 64)).toBeLessThan(180);
  });

  it("agree with a count of crossings for random stars", () => {
    const random = createTestRandom(testSeed());
    for (let round = 0; round < 50; round++) {
      const count = random.int(5, 12);
      const corners = Array.from({ length: count }, (_, corner): LngLat => {
        const angle = (2 * Math.PI * corner) / count;
        const radius = random.float(0.2, 1);
        return [radius * Math.cos(angle), radius * Math.sin(angle)];
      });
      const ring = [...corners, corners[0] as LngLat];
      const polygon = polygonOf([ring]);
      let inside = 0;
      for (let draw = 0; draw < 400; draw++) {
        if (isInPolygon(polygon, random.float(polygon.west, polygon.east), random.float(polygon.south, polygon.north))) inside += 1;
      }
      const share = polygon.area / ((polygon.east - polygon.west) * (polygon.north - polygon.south));
      expect(Math.abs(inside / 400 - share)).toBeLessThan(0.16);
    }
  });

  it("far north have fewer people at their narrow end", () => {
    const random = createRandom(testSeed(), "north");
    const drawn = Array.from({ length: 4000 }, () => drawPointIn(polygonOf([square(0, 60, 20)]), random));
    const south = drawn.filter(({ latitude }) => latitude < 70).length / 4000;
    const sine = (degrees: number) => Math.sin((degrees * Math.PI) / 180);
    expect(Math.abs(south - (sine(70) - sine(60)) / (sine(80) - sine(60)))).toBeLessThan(0.05);
  });

  it("of several parts have people in each part by its area, and everybody always lives in the same place", async () => {
    const areas = await readPolygons(
      [
        feature("MultiPolygon", [[square(0, 0, 1)], [square(100, 0, 3)]], { residents: 50 }),
        feature("Polygon", [square(50, 0, 1)], { residents: 0 }),
      ],
      "areas.geojson",
      "residents",
    );
    const people = peopleInPolygons(areas, 1);
    expect(people.residents).toBe(50);
    const drawn = drawMany(people, 2000);
    const homes = new Map(drawn.map((one) => [one.person, one]));
    expect(homes.size).toBe(50);
    expect(drawn.every((one) => homes.get(one.person)?.latitude === one.latitude)).toBe(true);
    expect([...homes.values()].filter(({ longitude }) => longitude >= 100).length).toBeGreaterThan(35);
    expect(drawn.some(({ longitude }) => longitude >= 50 && longitude <= 51)).toBe(false);
  });

  it.each<[ReturnType<typeof feature>, RegExp]>([
    [feature("Point", [1, 1]), /line 3: the geometry is "Point", not a Polygon or a MultiPolygon/],
    [feature("Polygon", [square(0, 0, 1)], { name: "x" }), /line 3, residents: the feature has no such property; it has name/],
    [feature("Polygon", [square(0, 0, 1)], { residents: "many" }), /line 3, residents: "many" is not a number of people/],
    [feature("Polygon", [square(0, 0, 1)], { residents: 0 }), /residents: nobody lives in any of the polygons/],
    [feature("Polygon", [square(0, 0, 1).slice(1)]), /line 3: a ring is not closed/],
    [
      feature("Polygon", [
        [
          [103, 1_400],
          [0, 0],
        ],
      ]),
      /line 3: \[103,1400\] is not a position in degrees, longitude first/,
    ],
    [
      feature("Polygon", [
        [
          [179, 0],
          [-179, 0],
          [-179, 1],
          [179, 1],
          [179, 0],
        ],
      ]),
      /line 3: a polygon crosses the 180th meridian: cut it/,
    ],
    [
      feature("Polygon", [
        [
          [0, 0],
          [1, 0],
          [2, 0],
          [0, 0],
        ],
      ]),
      /line 3: a polygon has no area/,
    ],
    [
      feature("Polygon", [
        [
          [0, 0],
          [1, 1],
          [1, 1.00001],
          [0, 0.00001],
          [0, 0],
        ],
      ]),
      /line 3: people live in a polygon that is as thin as a line/,
    ],
    [feature("Polygon", []), /line 3: the coordinates hold \[\] in place of a list/],
  ])("refuses %j", async (value, message) => {
    await expect(readPolygons([value], "areas.geojson", "residents")).rejects.toThrow(message);
  });

  it("cut at the 180th meridian are right on both sides", async () => {
    const areas = await readPolygons([feature("MultiPolygon", [[square(179, 0, 1)], [square(-180, 0, 1)]])], "f", "residents");
    const drawn = drawMany(peopleInPolygons(areas, 1), 200);
    expect(drawn.every(({ longitude }) => Math.abs(longitude) >= 179)).toBe(true);
  });
});

it("points get the residents of their area, and nobody is lost silently", async () => {
  const areas = await readPolygons(
    [
      feature("Polygon", [square(0, 0, 1)], { residents: 90 }),
      feature("Polygon", [square(1, 0, 1)], { residents: 10 }),
      feature("Polygon", [square(5, 5, 1)], { residents: 7 }),
    ],
    "areas.geojson",
    "residents",
  );
  const at = (longitude: number, latitude: number, weight = 1) => ({ longitude, latitude, weight });
  const { points, outside, unplaced } = weighPoints([at(0.5, 0.5), at(0.2, 0.2, 2), at(1.5, 0.5), at(9, 9)], areas);
  expect(points.map(({ weight }) => weight)).toEqual([30, 60, 10]);
  expect({ outside, unplaced }).toEqual({ outside: 1, unplaced: 7 });
});

describe("a synthetic city", () => {
  const centre = { latitude: 13.75, longitude: 100.5 };

  it("has its people within its radius, as dense as the distance says, and everybody always in the same place", () => {
    const drawn = drawMany(peopleOfCity({ ...centre, population: 1000, radiusM: 10_000 }, 1), 3000);
    const distances = drawn.map((home) => greatCircleM(centre, home)).sort((a, b) => a - b);
    expect(distances.at(-1)).toBeLessThan(10_010);
    // Of a density exp(-3.2 r) on the unit disc, half lies within 0.46.
    expect(Math.abs((distances[1500] ?? 0) - 4600)).toBeLessThan(500);
    const homes = new Map(drawn.map((one) => [one.person, one]));
    expect(drawn.every((one) => homes.get(one.person)?.latitude === one.latitude)).toBe(true);
  });

  it("keeps its people off the sea, and has its seed's homes only", () => {
    const city = { ...centre, population: 500, radiusM: 5000 };
    const land = peopleOfCity(city, 1, (latitude) => latitude > centre.latitude);
    expect(drawMany(land, 300).every(({ latitude }) => latitude > centre.latitude)).toBe(true);
    expect(drawMany(peopleOfCity(city, 1), 20, 3)).toEqual(drawMany(peopleOfCity(city, 1), 20, 3));
    expect(drawMany(peopleOfCity(city, 1), 20, 3)).not.toEqual(drawMany(peopleOfCity(city, 2), 20, 3));
  });

  it("refuses numbers out of range", () => {
    const city = { ...centre, population: 1000, radiusM: 10_000 };
    expect(() => peopleOfCity({ ...city, latitude: 89 }, 1)).toThrow(/-85 to 85, not 89/);
    expect(() => peopleOfCity({ ...city, population: 0 }, 1)).toThrow(/population/);
    expect(() => peopleOfCity({ ...city, radiusM: 10 }, 1)).toThrow(/radius/);
  });
});
