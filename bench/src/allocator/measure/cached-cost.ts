import { type Allocator, indexCellOf, type Position, quantise, regionOfCell } from "@petak/allocator";
import type { Random } from "@petak/testkit";
import type { Redis } from "ioredis";
import { concurrently } from "../concurrently.ts";
import { candidateAt } from "../load/hold-places.ts";
import { type Network, positionOf, question } from "../network/network.ts";
import { holdRequest } from "../ours/holds.ts";
import { newOrder } from "../ours/orders.ts";
import { commandTimes } from "./command-stats.ts";

/** Queries for each hold: more people look than reserve. */
export const queriesPerHold = 10;

/** Calls that are under way at once. */
const atOnce = 16;

/** A size class of which nobody asks in the bench: holding its places changes the index, and no answer. */
const otherClass = { index: 0, sizeClassId: "S" };

/**
 * What a query costs the server where the allocator keeps what it has read of the index and holds take parts of it away again, in µs: what queries and
 * holds cost together, less what the same number of holds costs an allocator that keeps nothing. So what the server does to tell of changes is
 * the queries'.
 *
 * @param random Where places are held.
 */
export async function cachedCost(
  redis: Redis,
  { cached, plain }: { cached: Allocator; plain: Allocator },
  { network, siteIds }: { network: Network; siteIds: readonly string[] },
  origins: readonly Position[],
  random: Random,
): Promise<number> {
  const hold = async (allocator: Allocator) => {
    const index = random.int(0, network.count - 1);
    const origin = positionOf(network, index);
    const cell = indexCellOf(quantise(origin));
    const candidate = { ...candidateAt(siteIds[index] as string, cell), classes: [otherClass] };
    const { tag } = await allocator.holds.take(holdRequest(newOrder(origin), regionOfCell(cell)), [candidate], async () => candidate);
    if (tag !== "held") throw new Error(`a hold came to ${tag}`);
  };
  const holdCount = Math.floor(origins.length / queriesPerHold);
  const together = await commandTimes(redis, () =>
    concurrently(origins.length, atOnce, async (index) => {
      await cached.nearest({ ...question, origin: origins[index] as Position });
      if (index % queriesPerHold === 0) await hold(cached);
    }),
  );
  const holds = await commandTimes(redis, () => concurrently(holdCount, atOnce, () => hold(plain)));
  return (together.micros - holds.micros) / origins.length;
}
