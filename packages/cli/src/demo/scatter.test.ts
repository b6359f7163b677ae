import { expect, test } from "vitest";
import { readCountryMap } from "../places/country-map.ts";
import type { City } from "./cities.ts";
import { type Position, scatter, urbanRadiusM } from "./scatter.ts";

const map = readCountryMap();
const singapore: City = {
  cityId: 1880252,
  name: "Singapore",
  countryCode: "SG",
  population: 3_547_809,
  latitude: 1.28967,
  longitude: 103.85007,
};
const inland: City = { cityId: 1, name: "Inland", countryCode: "TH", population: 400_000, latitude: 16.44, longitude: 102.83 };
const tinyIsland: City = { cityId: 2, name: "Island", countryCode: "PH", population: 20_000, latitude: 10.9, longitude: 119.0 };

function metresBetween(a: Position, b: Position): number {
  const north = (a.latitude - b.latitude) * 111_195;
  const east = (a.longitude - b.longitude) * 111_195 * Math.cos((a.latitude * Math.PI) / 180);
  return Math.hypot(north, east);
}

test("the same seed gives the same places, another seed others", () => {
  expect(scatter(singapore, 30, 1, map)).toEqual(scatter(singapore, 30, 1, map));
  expect(scatter(singapore, 30, 1, map)).not.toEqual(scatter(singapore, 30, 2, map));
});

test("more sites keep the positions of the first", () => {
  expect(scatter(singapore, 200, 1, map).slice(0, 50)).toEqual(scatter(singapore, 50, 1, map));
});

test("every site is on the land of the city's country", () => {
  for (const { latitude, longitude } of scatter(singapore, 300, 3, map)) expect(map.isOnLand("SG", latitude, longitude)).toBe(true);
});

test("sites keep apart, and are nearer to one another in the middle than outside", () => {
  const sites = scatter(inland, 200, 4, map);
  const nearest = sites.map((site, index) =>
    Math.min(...sites.filter((_, other) => other !== index).map((other) => metresBetween(site, other))),
  );
  expect(Math.min(...nearest)).toBeGreaterThanOrEqual(60);
  const radiusM = urbanRadiusM(inland.population);
  const within = (from: number, to: number) => {
    const count = sites.filter(
      (site) => metresBetween(site, inland) >= from * radiusM && metresBetween(site, inland) < to * radiusM,
    ).length;
    return count / (to * to - from * from);
  };
  expect(within(0, 0.4)).toBeGreaterThan(1.5 * within(0.4, 0.8));
  expect(within(0.4, 0.8)).toBeGreaterThan(within(0.8, 1.6));
});

test("a city that is not on the map keeps its sites close to its centre", () => {
  expect(map.isOnLand("PH", tinyIsland.latitude, tinyIsland.longitude)).toBe(false);
  for (const site of scatter(tinyIsland, 20, 5, map)) {
    expect(metresBetween(site, tinyIsland)).toBeLessThan(urbanRadiusM(tinyIsland.population));
  }
});

test("a larger city is wider", () => {
  expect(urbanRadiusM(10_000)).toBeCloseTo(1000);
  expect(urbanRadiusM(8_500_000)).toBeGreaterThan(15_000);
  expect(urbanRadiusM(8_500_000)).toBeLessThan(25_000);
});
