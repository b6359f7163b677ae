import { type People, peopleOfCity } from "@petak/simulator";
import type { City } from "../demo/cities.ts";
import { urbanRadiusM } from "../demo/scatter.ts";
import { readCountryMap } from "../places/country-map.ts";
import { timeZoneAt } from "../places/time-zone.ts";
import type { Circle } from "./city-sites.ts";

/** A city as a run needs it. */
export interface SimulatedCity {
  /** For reports. */
  readonly name: string;
  /** IANA name. */
  readonly timeZone: string;
  /** Where its sites are. */
  readonly circle: Circle;
  /** ISO 3166-1 alpha-2; undefined if it is not known. */
  readonly countryCode: string | undefined;
}

/** Sites of the demonstration network are up to this many urban radii from the centre. */
const reach = 1.4;

/** A city of the demonstration network. */
export function cityOf({ name, countryCode, latitude, longitude, population }: City): SimulatedCity {
  return {
    name,
    timeZone: timeZoneAt(latitude, longitude, countryCode).timeZone,
    circle: { latitude, longitude, radiusM: reach * urbanRadiusM(population) },
    countryCode,
  };
}

/** The people of a city of the demonstration network, who live on its land. */
export function peopleOf({ countryCode, latitude, longitude, population }: City, seed: number): People {
  const map = readCountryMap();
  // Islands that are too small for the map have no known land.
  const isKnown = map.isOnLand(countryCode, latitude, longitude);
  return peopleOfCity(
    { latitude, longitude, population, radiusM: reach * urbanRadiusM(population) },
    seed,
    isKnown ? (north, east) => map.isOnLand(countryCode, north, east) : undefined,
  );
}
