import { indexCellOf, quantise, regionOfCell } from "@petak/allocator";
import { parseSiteId } from "@petak/protocol";
import type { Records } from "@petak/records";
import type { HoldCandidate } from "@petak/records/testing/candidates";
import { createRandom } from "@petak/testkit";
import { concurrently } from "../concurrently.ts";
import { askedClass, type Network, operatorId, positionOf } from "../network/network.ts";
import { holdRequest } from "../ours/holds.ts";
import { newOrder, orderFingerprint } from "../ours/orders.ts";

/** Concurrent holds. */
const atOnce = 100;

/** All indexes of a network in the order in which its sites are filled, so that each occupancy extends the one before. */
export function fillingOrder(network: Network, seed: number): readonly number[] {
  return createRandom(seed).shuffle(Array.from({ length: network.count }, (_, index) => index));
}

/** Holds one place of the requested size at each of these sites, as the gateway would, and reports progress after each. */
export async function holdPlaces(
  records: Records,
  network: Network,
  siteIds: readonly string[],
  indexes: readonly number[],
  onHeld: (count: number) => void,
): Promise<void> {
  let held = 0;
  await concurrently(indexes.length, atOnce, async (number) => {
    const index = indexes[number] as number;
    const origin = positionOf(network, index);
    const cell = indexCellOf(quantise(origin));
    const order = newOrder(origin);
    await records.requestIds.claim(order.participantId, order.requestId, orderFingerprint(order));
    const candidate = candidateAt(siteIds[index] as string, cell);
    const outcome = await records.holds.take(holdRequest(order, regionOfCell(cell)), [candidate], async () => candidate);
    if (outcome.tag !== "held") throw new Error(`site ${candidate.siteId} has no place to hold: ${outcome.tag}`);
    held += 1;
    onHeld(held);
  });
}

/** A site as it was put, without a search: the script looks for its record. */
export function candidateAt(siteId: string, cell: string): HoldCandidate {
  const id = parseSiteId(siteId);
  if (id === undefined) throw new Error(`${siteId} is no site id`);
  return { siteId, ...id, operatorId, revision: 1, cell, offset: -1, classes: [askedClass] };
}
