import type { PetakClient } from "@petak/client/node";
import type { Pace } from "@petak/simulator";
import { batchesOf } from "../batches.ts";
import { usageFailure } from "../failure.ts";
import { formatCount } from "../terminal/progress.ts";
import type { SimulatedCity } from "./city.ts";
import { sitesWithin } from "./city-sites.ts";

/** Sites per call: the protocol's limit. */
const batchSize = 100;

/** How far around its city a run looks at sites: people live in a box around the circle, and walk. */
const reach = { factor: 1.5, marginM: 10_000 };

/**
 * Whether nobody else reserves at the sites of a run, so that their counts must be exactly what the run has done: so it is said, or the run moves the gateway's
 * clock, which others could not bear. Not if places are promised or taken before the run.
 *
 * @throws CliFailure (usage) if it is said and cannot be.
 */
export async function isAlone(
  { directory }: PetakClient,
  { circle }: SimulatedCity,
  { isSaid, pace }: { isSaid: boolean; pace: Pace },
): Promise<boolean> {
  if (!isSaid && pace.clock === "wall") return false;
  const around = { ...circle, radiusM: circle.radiusM * reach.factor + reach.marginM };
  let taken = 0;
  for await (const sites of batchesOf(await sitesWithin(directory, around, {}), batchSize)) {
    const { availabilities } = await directory.getAvailability({ siteIds: sites.map(({ siteId }) => siteId) });
    for (const { sizeClasses } of availabilities) for (const { held, occupied } of sizeClasses) taken += held + occupied;
  }
  if (taken === 0 || !isSaid) return taken === 0;
  throw usageFailure(
    `--alone says that nobody else reserves at these sites, and ${formatCount(taken)} of their places are promised or taken already. Begin with an empty gateway, or leave --alone out.`,
  );
}

/** What the reader of a report must know of that. */
export function aloneRemark(isAlone: boolean): string[] {
  return isAlone ? ["Nobody else reserved at these sites, so their counts had to be exactly what the run had done."] : [];
}
