import { type Candidate, indexCellOf, quantise, regionOfCell } from "@petak/allocator";
import type { Site } from "@petak/protocol";
import type { HoldCandidate, SearchableRecords } from "@petak/records/testing/candidates";
import { question } from "../network/network.ts";
import { holdRequest } from "./holds.ts";
import type { Order } from "./orders.ts";

/**
 * Finds the nearest site with a place and holds it, in the steps of the gateway's Reserve: the index is searched, the facts taken from memory, and
 * one script does the rest; where somebody else took the last place meanwhile, it searches anew, for several.
 *
 * @returns The id of the site where the place is held.
 */
export async function reserveNearest(records: SearchableRecords, facts: ReadonlyMap<string, Site>, order: Order): Promise<string> {
  const homeRegion = regionOfCell(indexCellOf(quantise(order.origin)));
  const request = holdRequest(order, homeRegion);
  for (const limit of candidatesTried) {
    const candidates = await records.nearest({ ...question, origin: order.origin, limit });
    const outcome = await records.holds.take(
      request,
      candidates.map((candidate) => holdCandidate(candidate, facts)),
      async (siteId) => {
        const candidate = candidates.find((one) => one.siteId === siteId);
        return candidate === undefined ? undefined : holdCandidate(candidate, facts);
      },
    );
    if (outcome.tag === "held") return outcome.reservation.siteId;
    if (outcome.tag !== "none") throw new Error(`an order was ${outcome.tag}`);
  }
  throw new Error("an order found no place");
}

/** Sites that are tried at first, and then, as in the gateway. */
const candidatesTried = [1, 3] as const;

/** A site that a search showed, with what a hold must know of it. */
export function holdCandidate(candidate: Candidate, facts: ReadonlyMap<string, Site>): HoldCandidate {
  const { siteId, region, siteNumber, revision, cell, offset } = candidate;
  const site = facts.get(siteId);
  if (site === undefined) throw new Error(`the facts of site ${siteId} are not known`);
  const classes = candidate.classes.map(({ index }) => ({ index, sizeClassId: site.sizeClasses[index]?.sizeClassId ?? "" }));
  return { siteId, region, siteNumber, operatorId: site.operatorId, revision, cell, offset, classes };
}
