import type { Position } from "@petak/allocator";
import { createRandom } from "@petak/testkit";
import type { Network } from "./network.ts";

/** A box the size of Singapore: 24 km by 47 km. */
const box = { south: 1.24, north: 1.46, west: 103.61, east: 104.03 };

/** Its area in km². */
export const cityAreaKm2 = 1142;

/** A city with uniformly distributed sites. The same seed gives the same city. */
export function cityNetwork(count: number, seed: number): Network {
  const random = createRandom(seed);
  const latitudes = new Float64Array(count);
  const longitudes = new Float64Array(count);
  for (let index = 0; index < count; index++) {
    latitudes[index] = random.float(box.south, box.north);
    longitudes[index] = random.float(box.west, box.east);
  }
  return { name: "one city", count, latitudes, longitudes, countryOf: () => "SG" };
}

/** Uniformly distributed origins in the city. */
export function cityOrigins(count: number, seed: number): Position[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => ({
    latitude: random.float(box.south, box.north),
    longitude: random.float(box.west, box.east),
  }));
}
