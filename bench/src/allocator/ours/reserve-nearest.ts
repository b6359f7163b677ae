import { type Candidate, indexCellOf, quantise, regionOfCell } from "@petak/allocator";
import type { Site } from "@petak/protocol";
import type { HoldCandidate, SearchableRecords } from "@petak/records/testing/candidates";
import { question } from "../network/network.ts";
import { holdRequest } from "./holds.ts";
import type { Order } from "./orders.ts";

/**
 * Finds the nearest site with a free place and holds it, in the steps of the gateway's Reserve: search the index, take the facts from
 * memory, and run one script; if another client took the last place meanwhile, search again for several candidates.
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

/** Candidates of the first attempt and of later ones, as in the gateway. */
const candidatesTried = [1, 3] as const;

/** A site found by a search, with the facts that a hold requires. */
export function holdCandidate(candidate: Candidate, facts: ReadonlyMap<string, Site>): HoldCandidate {
  const { siteId, region, siteNumber, revision, cell, offset } = candidate;
  const site = facts.get(siteId);
  if (site === undefined) throw new Error(`the facts of site ${siteId} are unknown`);
  const classes = candidate.classes.map(({ index }) => ({ index, sizeClassId: site.sizeClasses[index]?.sizeClassId ?? "" }));
  return { siteId, region, siteNumber, operatorId: site.operatorId, revision, cell, offset, classes };
}
