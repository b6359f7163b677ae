import { cosDegrees, ln } from "../random/portable-math.ts";
import { createRandom, type Random } from "../random/random.ts";
import { roundDegrees } from "../trace/field.ts";
import type { People } from "./people.ts";

/** A city for which there are no files. */
export interface SyntheticCity {
  /** Its centre in degrees; the latitude from -85 to 85. */
  latitude: number;
  longitude: number;
  /** Inhabitants, at least 1. */
  population: number;
  /** Nobody lives farther from the centre, in m. From 100 to 200,000. */
  radiusM: number;
}

const metresPerDegree = 111_195;

/**
 * The density falls to 1/e over this part of the radius, as it does in the demonstration network. C. Clark, "Urban population densities", J. R. Stat. Soc. A
 * 114, 1951, found exponential decline in cities of all times and countries.
 */
const scalePerRadius = 1 / 3.2;

/** Tries for one home before its person lives at the centre. */
const mostTries = 1000;

/**
 * People around a centre, with a density that falls exponentially. Everybody's home depends on the seed and their number only.
 *
 * @param isOnLand keeps homes off the sea. Default: everywhere is land
 * @throws RangeError if a number is out of its range
 */
export function peopleOfCity(
  city: SyntheticCity,
  seed: number,
  isOnLand: (latitude: number, longitude: number) => boolean = () => true,
): People {
  const { latitude, longitude, population, radiusM } = city;
  if (!(Math.abs(latitude) <= 85)) throw new RangeError(`the latitude of a city is from -85 to 85, not ${latitude}`);
  if (!(Math.abs(longitude) <= 180)) throw new RangeError(`the longitude of a city is from -180 to 180, not ${longitude}`);
  if (!(population >= 1 && population <= 1e9)) throw new RangeError(`the population of a city is from 1 to 1e9, not ${population}`);
  if (!(radiusM >= 100 && radiusM <= 200_000)) throw new RangeError(`the radius of a city is from 100 to 200000 m, not ${radiusM}`);
  const metresPerDegreeEast = metresPerDegree * cosDegrees(latitude);
  const homeOf = (person: number) => {
    const own = createRandom(seed, "home", person);
    for (let attempt = 0; attempt < mostTries; attempt++) {
      const [eastM, northM] = drawOffset(own, radiusM);
      const home = {
        latitude: roundDegrees(latitude + northM / metresPerDegree),
        longitude: wrap(longitude + eastM / metresPerDegreeEast),
      };
      if (isOnLand(home.latitude, home.longitude)) return home;
    }
    return { latitude: roundDegrees(latitude), longitude: wrap(longitude) };
  };
  return {
    residents: population,
    draw(random) {
      const person = Math.floor(random.next() * population);
      return { person: String(person), ...homeOf(person) };
    },
  };
}

/** An offset from the centre, east and north in m, with a density on the plane that falls as exp(-distance / scale). */
function drawOffset(random: Random, radiusM: number): readonly [number, number] {
  for (;;) {
    // The sum of two exponential lengths in a uniform direction; the direction is that of a point in the unit disc.
    const distanceM = -radiusM * scalePerRadius * ln((1 - random.next()) * (1 - random.next()));
    const x = 2 * random.next() - 1;
    const y = 2 * random.next() - 1;
    const norm = Math.sqrt(x * x + y * y);
    if (distanceM <= radiusM && norm <= 1 && norm > 0) return [(distanceM * x) / norm, (distanceM * y) / norm];
  }
}

function wrap(longitude: number): number {
  return roundDegrees(longitude > 180 ? longitude - 360 : longitude < -180 ? longitude + 360 : longitude);
}
