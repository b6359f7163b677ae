import type { Position } from "@petak/allocator";
import type { SearchableRecords } from "@petak/records/testing/candidates";
import type { Random } from "@petak/testkit";
import type { Redis } from "ioredis";
import type { HoldTarget } from "../load/hold-targets.ts";
import { type CachedCost, cachedCost } from "./cached-cost.ts";

/** Runs of the traffic that warm up, at most. */
const warmUpsAtMost = 20;

/** It is warm when a run reads no less than this share of what the run before it read: what is still read, holds have changed. */
const steadyShare = 0.9;

/**
 * What queries cost once the cache holds what such traffic needs, round after round. The same traffic goes before, until it reads no less than
 * the time before. Origins are not asked in the same order twice.
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
