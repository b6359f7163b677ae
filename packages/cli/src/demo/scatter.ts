import { createRandom, type Random } from "@petak/simulator/random";
import type { CountryMap } from "../places/country-map.ts";
import type { City } from "./cities.ts";

/** A point in degrees. */
export interface Position {
  readonly latitude: number;
  readonly longitude: number;
}

/** A centre of density (city centre or suburb), in metres east and north of the city centre. */
interface Focus {
  x: number;
  y: number;
  /** Distance over which the density falls to 1/e, in m. */
  scaleM: number;
  /** Greatest distance of its sites, in m. */
  reachM: number;
  weight: number;
}

const metresPerDegree = 111_195;

/** Minimum distances between two sites of a city: the wanted one, and the one used if there is no room. */
const wantedSeparationM = 250;
const leastSeparationM = 60;
const triesAtWantedSeparation = 40;
const triesAtLeastSeparation = 80;

/**
 * The radius of most of a city's sites, in m: 1 km at 10,000 inhabitants, growing with the power 0.45 of the population (2.8 km at 100,000, about 20 km at 8.5 million),
 * since built-up area grows more slowly than population.
 */
export function urbanRadiusM(population: number): number {
  return 1000 * Math.max(0.4, (population / 10_000) ** 0.45);
}

/**
 * Random positions of `count` sites in a city: densest at the centre, with suburbs in large cities, stretched in a random direction, on the land of the city's country.
 *
 * A larger count keeps the positions of a smaller one and adds further ones.
 */
export function scatter(city: City, count: number, seed: number, map: CountryMap): Position[] {
  const shape = createRandom(seed, city.cityId, "shape");
  const centreOnLand = map.isOnLand(city.countryCode, city.latitude, city.longitude);
  const toPosition = projection(city, shape);
  // Islands too small for the map have no known land; their sites stay close to the centre.
  const shrink = centreOnLand ? 1 : 0.4;
  const onLand = ({ latitude, longitude }: Position) => !centreOnLand || map.isOnLand(city.countryCode, latitude, longitude);
  const foci = fociOf(city, shape, shrink, (x, y) => onLand(toPosition(x, y)));
  const placed: Position[] = [];
  for (let number = 0; number < count; number += 1) {
    placed.push(place(createRandom(seed, city.cityId, number, "position"), foci, placed, toPosition, onLand));
  }
  return placed;
}

function fociOf(city: City, shape: Random, shrink: number, isUsable: (x: number, y: number) => boolean): Focus[] {
  const radiusM = urbanRadiusM(city.population) * shrink;
  const foci: Focus[] = [{ x: 0, y: 0, scaleM: radiusM / 3.2, reachM: radiusM * 1.4, weight: 1 }];
  const suburbs = city.population < 150_000 ? 0 : Math.min(9, Math.round(2 * Math.log2(city.population / 100_000)));
  for (let suburb = 0; suburb < suburbs; suburb += 1) {
    for (let attempt = 0; attempt < 20; attempt += 1) {
      const angle = shape.between(0, 2 * Math.PI);
      const distanceM = radiusM * shape.between(0.4, 1.05);
      const x = distanceM * Math.cos(angle);
      const y = distanceM * Math.sin(angle);
      if (!isUsable(x, y)) continue;
      const size = shape.between(0.6, 1.5);
      foci.push({ x, y, scaleM: (radiusM / 9) * size, reachM: (radiusM / 2.5) * size, weight: 0.13 * size });
      break;
    }
  }
  return foci;
}

/** Converts metres in the city's stretched and rotated frame to degrees with six decimals (about 0.1 m). */
function projection(city: City, shape: Random): (x: number, y: number) => Position {
  const turn = shape.between(0, Math.PI);
  const flattening = shape.between(0.6, 1);
  const cosine = Math.cos(turn);
  const sine = Math.sin(turn);
  const metresPerDegreeEast = metresPerDegree * Math.cos((city.latitude * Math.PI) / 180);
  return (x, y) => {
    const flat = y * flattening;
    return {
      latitude: round(city.latitude + (x * sine + flat * cosine) / metresPerDegree),
      longitude: round(city.longitude + (x * cosine - flat * sine) / metresPerDegreeEast),
    };
  };
}

function place(
  random: Random,
  foci: readonly Focus[],
  placed: readonly Position[],
  toPosition: (x: number, y: number) => Position,
  onLand: (position: Position) => boolean,
): Position {
  let best: Position | undefined;
  let bestSeparationM = -1;
  for (let attempt = 0; attempt < triesAtLeastSeparation || best === undefined; attempt += 1) {
    const focus = random.weighted(foci, ({ weight }) => weight);
    // The sum of two exponential lengths, in a uniform direction, gives a density on the plane that falls as exp(-r / scale).
    const distanceM = -focus.scaleM * Math.log((1 - random.next()) * (1 - random.next()));
    const angle = random.between(0, 2 * Math.PI);
    if (distanceM > focus.reachM) continue;
    const position = toPosition(focus.x + distanceM * Math.cos(angle), focus.y + distanceM * Math.sin(angle));
    if (!onLand(position)) continue;
    const separationM = nearestDistanceM(position, placed);
    if (separationM >= (attempt < triesAtWantedSeparation ? wantedSeparationM : leastSeparationM)) return position;
    if (separationM > bestSeparationM) {
      best = position;
      bestSeparationM = separationM;
    }
  }
  return best;
}

function nearestDistanceM(position: Position, others: readonly Position[]): number {
  const cosine = Math.cos((position.latitude * Math.PI) / 180);
  let nearest = Number.POSITIVE_INFINITY;
  for (const { latitude, longitude } of others) {
    const north = latitude - position.latitude;
    const east = (longitude - position.longitude) * cosine;
    nearest = Math.min(nearest, north * north + east * east);
  }
  return Math.sqrt(nearest) * metresPerDegree;
}

function round(degrees: number): number {
  return Math.round(degrees * 1e6) / 1e6;
}
