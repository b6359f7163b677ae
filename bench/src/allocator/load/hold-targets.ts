import { indexCellOf, type Position, quantise, regionOfCell } from "@petak/allocator";
import type { SearchableRecords } from "@petak/records/testing/candidates";
import { concurrently } from "../concurrently.ts";
import { type Network, otherClass, positionOf, question } from "../network/network.ts";
import { holdRequest } from "../ours/holds.ts";
import { newOrder } from "../ours/orders.ts";
import { candidateAt } from "./hold-places.ts";

/** Concurrent searches. */
const atOnce = 16;

/** A site at which places are held between queries. */
export interface HoldTarget {
  siteId: string;
  position: Position;
}

/** All sites of a city. */
export function targetsOf(network: Network, siteIds: readonly string[]): HoldTarget[] {
  return siteIds.map((siteId, index) => ({ siteId, position: positionOf(network, index) }));
}

/** The sites nearest to some points, as the targets of holds that come from there. */
export async function targetsNear(records: SearchableRecords, origins: readonly Position[]): Promise<HoldTarget[]> {
  const found: HoldTarget[] = [];
  await concurrently(origins.length, atOnce, async (index) => {
    const [nearest] = await records.nearest({ ...question, origin: origins[index] as Position, limit: 1 });
    if (nearest !== undefined) found.push({ siteId: nearest.siteId, position: nearest.position });
  });
  return found;
}

/** Holds a place of a size that no query asks for: it changes the index, but no answer. */
export async function holdOther(records: SearchableRecords, { siteId, position }: HoldTarget): Promise<void> {
  const cell = indexCellOf(quantise(position));
  const candidate = { ...candidateAt(siteId, cell), classes: [otherClass] };
  const { tag } = await records.holds.take(holdRequest(newOrder(position), regionOfCell(cell)), [candidate], async () => candidate);
  if (tag !== "held") throw new Error(`a hold failed: ${tag}`);
}
