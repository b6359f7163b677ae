/** A place on the map, in degrees. */
export interface Place {
  readonly latitude: number;
  readonly longitude: number;
}

interface City extends Place {
  /** The distance from the centre within which two thirds of its people live, in m. */
  readonly spreadM: number;
}

/** Cities of the demonstration network. */
const cities: Readonly<Record<string, City>> = {
  Bangkok: { latitude: 13.75, longitude: 100.5, spreadM: 9000 },
  Hanoi: { latitude: 21.03, longitude: 105.85, spreadM: 6000 },
  "Ho Chi Minh City": { latitude: 10.82, longitude: 106.63, spreadM: 8000 },
  Jakarta: { latitude: -6.21, longitude: 106.85, spreadM: 9000 },
  "Kuala Lumpur": { latitude: 3.14, longitude: 101.69, spreadM: 7000 },
  Manila: { latitude: 14.6, longitude: 120.98, spreadM: 6000 },
  Singapore: { latitude: 1.35, longitude: 103.82, spreadM: 6000 },
};

const metresPerDegree = 111_195;

/**
 * A place where somebody of a city may live: around its centre by a normal distribution, at most three spreads away.
 *
 * @param random numbers in [0, 1)
 * @throws an Error that names the cities if there is no such city.
 */
export function somewhereIn(name: string, random: () => number): Place {
  const city = cityNamed(name);
  return near(city, city.spreadM, random);
}

/**
 * A place in the one neighbourhood of a city where everybody wants something at once: within 1.5 km of its centre.
 *
 * @throws an Error that names the cities if there is no such city.
 */
export function downtown(name: string, random: () => number): Place {
  return near(cityNamed(name), 500, random);
}

function cityNamed(name: string): City {
  const city = cities[name];
  if (city === undefined) throw new Error(`PETAK_CITY is "${name}", but the cities are ${Object.keys(cities).join(", ")}.`);
  return city;
}

/** Box and Muller's transform (1958), the radius cut off. */
function near({ latitude, longitude }: Place, spreadM: number, random: () => number): Place {
  const distanceM = spreadM * Math.min(3, Math.sqrt(-2 * Math.log(1 - random())));
  const bearing = 2 * Math.PI * random();
  const northDeg = (distanceM * Math.cos(bearing)) / metresPerDegree;
  const eastDeg = (distanceM * Math.sin(bearing)) / (metresPerDegree * Math.cos((latitude * Math.PI) / 180));
  return { latitude: latitude + northDeg, longitude: longitude + eastDeg };
}
