import type { MessageInitShape } from "@bufbuild/protobuf";
import { SiteKind, SiteLifecycle, type SiteSchema, SiteService } from "@petak/protocol";
import { createRandom, type Random } from "@petak/simulator/random";
import { type MixName, namedMix } from "../places/compartment-mix.ts";
import { type CountryMap, readCountryMap } from "../places/country-map.ts";
import { everyDay, onDays, type WeeklyHours } from "../places/opening-hours.ts";
import { timeZoneAt } from "../places/time-zone.ts";
import { apportion } from "./apportion.ts";
import { type City, readDemoCities } from "./cities.ts";
import { type DemoOperator, demoOperators } from "./operators.ts";
import { type Position, scatter } from "./scatter.ts";

/** Limit for the sites of the demonstration network. */
export const maxDemoSites = 200_000;

export interface DemoNetworkOptions {
  /** Number of sites. Range: [1, 200000]. Default 3000: covers every larger city and loads within seconds. */
  sites?: number;
  /** Integer. The same seed gives the same network, byte for byte. Default 1. */
  seed?: number;
}

/** A site in UpsertSites. */
export type SiteInit = MessageInitShape<typeof SiteSchema>;

/** The demonstration network: real cities, fictitious operators and sites. */
export interface DemoNetwork {
  readonly sites: number;
  readonly seed: number;
  readonly operators: readonly DemoOperator[];
  /** The sites of each operator by its key, in the order of their references. Operators without sites have an empty list. */
  readonly sitesByOperator: ReadonlyMap<string, readonly SiteInit[]>;
}

/**
 * Builds the demonstration network: exactly the given number of sites around the cities of South-East Asia, in proportion to their populations. Cities that are too
 * small get none.
 *
 * Position, operator and equipment of a site depend only on the seed, the city and its number in the city. A larger network with the same seed therefore contains the
 * sites of a smaller one, as far as each city has as many.
 *
 * @throws {RangeError} if an option is out of range.
 */
export function buildDemoNetwork({ sites = 3000, seed = 1 }: DemoNetworkOptions = {}): DemoNetwork {
  if (!Number.isInteger(sites) || sites < 1 || sites > maxDemoSites) {
    throw new RangeError(`the demonstration network has 1 to ${maxDemoSites} sites, not ${sites}`);
  }
  if (!Number.isSafeInteger(seed)) throw new RangeError(`the seed of the demonstration network is a whole number, not ${seed}`);
  const cities = readDemoCities();
  const map = readCountryMap();
  const shares = apportion(
    sites,
    cities.map(({ population }) => population),
  );
  const sitesByOperator = new Map<string, SiteInit[]>(demoOperators.map(({ key }) => [key, []]));
  cities.forEach((city, index) => {
    for (const { operator, site } of sitesOf(city, shares[index] ?? 0, seed, map)) sitesByOperator.get(operator.key)?.push(site);
  });
  return { sites, seed, operators: demoOperators, sitesByOperator };
}

function sitesOf(city: City, count: number, seed: number, map: CountryMap): { operator: DemoOperator; site: SiteInit }[] {
  if (count === 0) return [];
  const candidates = demoOperators.filter(({ countryCodes }) => countryCodes.includes(city.countryCode));
  const { timeZone } = timeZoneAt(city.latitude, city.longitude, city.countryCode);
  return scatter(city, count, seed, map).map((position, index) => {
    const random = createRandom(seed, city.cityId, index, "site");
    const operator = random.weighted(candidates, ({ weight }) => weight);
    return { operator, site: siteAt(city, position, index + 1, operator, timeZone, seed, random) };
  });
}

function siteAt(
  city: City,
  position: Position,
  number: number,
  { terminalShare }: DemoOperator,
  timeZone: string,
  seed: number,
  random: Random,
): SiteInit {
  const isTerminal = random.next() < terminalShare;
  const { sizeClasses, compartments } = namedMix(isTerminal ? bankFor(city.population, random) : shelfFor(random));
  return {
    operatorSiteRef: `demo-${seed}-${city.cityId}-${number}`,
    kind: isTerminal ? SiteKind.PARCEL_TERMINAL : SiteKind.COLLECTION_POINT,
    name: `Petak demo · ${city.name} ${number}`,
    position: { latitude: position.latitude, longitude: position.longitude },
    address: { countryCode: city.countryCode, locality: city.name, lines: ["A fictitious place for demonstrations"] },
    timeZone,
    openingHours: isTerminal ? terminalHours(random) : storeHours(random),
    access: {
      entranceHint: "There is nothing here: the place is fictitious.",
      stepFree: random.next() < 0.7,
      indoors: !isTerminal || random.next() < 0.3,
    },
    equipment: isTerminal
      ? {
          screen: true,
          pinPad: true,
          scanner: true,
          bluetooth: random.next() < 0.5,
          audioGuidance: random.next() < 0.2,
          tactileMarkings: random.next() < 0.3,
        }
      : { scanner: true, cardPayment: random.next() < 0.6 },
    services: isTerminal ? [] : counterServices,
    sizeClasses,
    compartments,
    lifecycle: SiteLifecycle.ACTIVE,
    isTest: true,
  };
}

/** What people at a counter do and doors do not. */
const counterServices = [SiteService.AGE_CHECK, SiteService.ID_CHECK, SiteService.CASH_ON_DELIVERY, SiteService.PERSONAL_COLLECTION];

/** Random bank; larger cities tend to have larger ones. */
function bankFor(population: number, random: Random): MixName {
  const weights: [MixName, number][] =
    population < 200_000
      ? [
          ["small", 6],
          ["medium", 4],
        ]
      : [
          ["small", 2],
          ["medium", 5],
          ["large", 3],
        ];
  return random.weighted(weights, ([, weight]) => weight)[0];
}

function shelfFor(random: Random): MixName {
  return random.next() < 0.75 ? "shelf" : "stockroom";
}

/** Most terminals are outdoors; the others have the hours of a mall or station. */
function terminalHours(random: Random): WeeklyHours {
  const kinds: [WeeklyHours, number][] = [
    [{ alwaysOpen: true }, 85],
    [everyDay(6 * 60, 23 * 60), 8],
    [everyDay(10 * 60, 22 * 60), 7],
  ];
  return random.weighted(kinds, ([, weight]) => weight)[0];
}

function storeHours(random: Random): WeeklyHours {
  const kinds: [WeeklyHours, number][] = [
    [{ alwaysOpen: true }, 20],
    [everyDay(7 * 60, 23 * 60), 40],
    [everyDay(9 * 60, 21 * 60 + 30), 20],
    [{ weekly: [...onDays([0, 1, 2, 3, 4], 8 * 60, 18 * 60), ...onDays([5], 8 * 60, 13 * 60)] }, 20],
  ];
  return random.weighted(kinds, ([, weight]) => weight)[0];
}
