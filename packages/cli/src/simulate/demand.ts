import { basename } from "node:path";
import { defaultBehaviour, drawTrace, type People, type TimeUnit } from "@petak/simulator";
import { cityCredit } from "../demo/cities.ts";
import { usageFailure } from "../failure.ts";
import { formatCount } from "../terminal/progress.ts";
import { Bounds } from "./bounds.ts";
import { cityOf, peopleOf, type SimulatedCity } from "./city.ts";
import { findCity } from "./city-name.ts";
import { cityAround } from "./city-of-files.ts";
import { readPeople } from "./people-files.ts";
import type { Period } from "./period.ts";
import { sampleHomes } from "./sample-people.ts";
import { look, type RunTrace } from "./trace-file.ts";
import { readTripTraffic, type TripTraffic } from "./trip-traffic.ts";

/** The city of a run without files. */
export const defaultCity = "Singapore";

/** Options of who lives where. */
export interface DemandOptions {
  city?: string;
  people?: string[];
  peopleColumns?: string;
  peopleProperty?: string;
  trips?: string;
  tripsTimeUnit: TimeUnit;
  tripsTimeZone: string;
  seed: number;
}

/** A city and who lives there. */
export interface Demand {
  readonly city: SimulatedCity;
  readonly people: People;
  /** How the people are known. */
  readonly peopleFrom: string;
  /** Undefined: the documented week and stays. */
  readonly traffic: TripTraffic | undefined;
  readonly remarks: readonly string[];
}

/**
 * Finds out who lives where: from files, or in a city of the demonstration network.
 *
 * @param resolve makes a path of an option absolute
 * @throws CliFailure or InputError if an option cannot be used.
 */
export async function readDemand(options: DemandOptions, resolve: (path: string) => string): Promise<Demand> {
  const where = await readPlaces(options, resolve);
  const { trips, tripsTimeUnit: timeUnit, tripsTimeZone: timeZone } = options;
  const traffic = trips === undefined ? undefined : await readTripTraffic({ path: resolve(trips), columns: undefined, timeUnit, timeZone });
  return { ...where, traffic, remarks: [...where.remarks, ...(traffic === undefined ? [] : [traffic.remark])] };
}

/** Who lives where. */
async function readPlaces(options: DemandOptions, resolve: (path: string) => string): Promise<Omit<Demand, "traffic">> {
  const { seed, people: files = [] } = options;
  const [first] = files;
  const known = options.city === undefined && first !== undefined ? undefined : findCity(options.city ?? defaultCity);
  if (first === undefined && known !== undefined) {
    if (options.peopleColumns !== undefined || options.peopleProperty !== undefined) {
      throw usageFailure("--people-columns and --people-property say how the file of --people is read. Give --people as well.");
    }
    const how = `its ${formatCount(known.population)} people are placed by a formula: densest at the centre`;
    return {
      city: cityOf(known),
      people: peopleOf(known, seed),
      peopleFrom: `${known.name}, a synthetic city of ${known.population}`,
      remarks: [`${known.name} is synthetic: ${how}. ${cityCredit}`],
    };
  }
  const found = await readPeople({
    paths: files.map(resolve),
    columns: options.peopleColumns,
    property: options.peopleProperty,
    seed,
  });
  const city =
    known === undefined ? cityAround(nameOf(first ?? ""), Bounds.around(sampleHomes(found.people, 2000, seed, "bounds"))) : cityOf(known);
  return { city, people: found.people, peopleFrom: found.from, remarks: found.remarks };
}

/** A file's name without its ending. */
function nameOf(path: string): string {
  return (
    basename(path)
      .replace(/\.[^.]+$/, "")
      .slice(0, 100) || "A city"
  );
}

/** Parcels an ordinary day by the documented behaviour, if nothing else limits them. */
export function usualParcels({ residents }: People): number {
  return Math.max(1, Math.round((residents * defaultBehaviour.parcelsPerDayPerThousand) / 1000));
}

/**
 * Draws what people mean to do.
 *
 * @param parcelsPerDay of an ordinary day
 * @throws CliFailure (usage) if there are too few people for so many parcels.
 */
export async function drawDemand(
  { city, people, peopleFrom, traffic }: Demand,
  period: Period,
  parcelsPerDay: number,
  seed: number,
): Promise<RunTrace> {
  const perThousand = (1000 * parcelsPerDay) / people.residents;
  if (perThousand > mostPerThousand) {
    throw usageFailure(
      `--parcels ${parcelsPerDay} a day are more than ten for each of the ${formatCount(people.residents)} people of ${city.name}: give fewer, or weights that add up to the people.`,
    );
  }
  const { header, intentions } = drawTrace({
    seed,
    city: city.name,
    timeZone: city.timeZone,
    ...period,
    people,
    peopleFrom,
    behaviour: { ...defaultBehaviour, parcelsPerDayPerThousand: perThousand },
    ...(traffic && { week: traffic.week, observedStaysMs: traffic.observedStaysMs }),
  });
  const { count, bounds } = await look(intentions);
  if (count === 0) throw usageFailure(`Nobody of ${city.name} wanted anything in this time. Give more --days or --parcels.`);
  return { header, intentions, count, bounds };
}

/** The greatest rate that a behaviour may have. */
const mostPerThousand = 10_000;
