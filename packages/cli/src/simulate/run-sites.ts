import type { PetakClient } from "@petak/client/node";
import type { Site } from "@petak/protocol";
import { CliFailure } from "../failure.ts";
import { formatCount } from "../terminal/progress.ts";
import type { SimulatedCity } from "./city.ts";
import { placesOf, sitesWithin } from "./city-sites.ts";
import type { RunKeys } from "./run-keys.ts";

/** The sites of a run, as the directory has them before it. */
export interface RunSites {
  readonly sites: readonly Site[];
  readonly places: number;
  /** Sites whose operators' keys are known: they have a terminal in the run. */
  readonly withDoors: number;
}

/**
 * Reads the sites of a city.
 *
 * @param operatorId only this operator's. Undefined: all
 * @throws CliFailure if there is none.
 */
export async function readRunSites(
  { directory }: PetakClient,
  { name, circle }: SimulatedCity,
  { operators }: Pick<RunKeys, "operators">,
  operatorId?: string,
): Promise<RunSites> {
  const sites = await sitesWithin(directory, circle, operatorId === undefined ? {} : { operatorIds: [operatorId] });
  if (sites.length === 0) {
    throw new CliFailure(
      `The gateway has no site within ${formatCount(circle.radiusM / 1000)} km of the middle of ${name}: give --sites with a file of sites, or another --city.`,
      { reason: "no-sites" },
    );
  }
  return { sites, places: placesOf(sites), withDoors: sites.filter(({ operatorId }) => operators.has(operatorId)).length };
}
