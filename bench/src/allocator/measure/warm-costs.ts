import type { Position } from "@petak/allocator";
import type { SearchableRecords } from "@petak/records/testing/candidates";
import type { Random } from "@petak/testkit";
import type { Redis } from "ioredis";
import type { HoldTarget } from "../load/hold-targets.ts";
import { type CachedCost, cachedCost } from "./cached-cost.ts";

/** Runs of the traffic to warm up, at most. */
const warmUpsAtMost = 20;

/** The cache is warm when a run reads at least this share of what the run before it read: the remaining reads are caused by holds. */
const steadyShare = 0.9;

/**
 * The cost of queries with a warm cache, round after round. The same traffic runs before, until it no longer reads less than the time
 * before. The order of the origins differs each time.
 */
export async function warmCosts(
  redis: Redis,
  cached: SearchableRecords,
  origins: readonly Position[],
  targets: readonly HoldTarget[],
  rounds: number,
  random: Random,
): Promise<CachedCost[]> {
  const run = () => cachedCost(redis, cached, random.shuffle([...origins]), targets, random);
  let before = await run();
  for (let warmUp = 1; warmUp < warmUpsAtMost; warmUp++) {
    const next = await run();
    if (next.keysRead >= before.keysRead * steadyShare) break;
    before = next;
  }
  const costs: CachedCost[] = [];
  for (let round = 0; round < rounds; round++) costs.push(await run());
  return costs;
}
