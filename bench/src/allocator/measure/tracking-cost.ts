import type { SearchableRecords } from "@petak/records/testing/candidates";
import { createRandom } from "@petak/testkit";
import { median } from "../../median.ts";
import { type BenchServer, seed } from "../bench-context.ts";
import type { HoldTarget } from "../load/hold-targets.ts";
import type { Figure, Part } from "../report/figure.ts";
import { type CachedCost, queriesPerHold } from "./cached-cost.ts";
import { type InvalidationCost, invalidationCost } from "./invalidation-cost.ts";
import { registrationCost } from "./registration-cost.ts";

/** The server's cost of a client's tracked cache, besides the commands of queries. */
export interface TrackingCost {
  invalidation: InvalidationCost;
  /** In µs for each key read, by round. */
  registration: number[];
}

/** Measures it. */
export async function trackingCost(
  { redis, connect }: BenchServer,
  gatewayRecords: { cached: SearchableRecords; plain: SearchableRecords },
  targets: readonly HoldTarget[],
  rounds: number,
): Promise<TrackingCost> {
  const invalidation = await invalidationCost(redis, gatewayRecords, targets, rounds, createRandom(seed + 7));
  return { invalidation, registration: await registrationCost(connect, rounds) };
}

/** The cost of queries in commands, plus their share of the tracking: invalidations by holds and the registration of keys read. */
export function withTracking(costs: readonly CachedCost[], { invalidation, registration }: TrackingCost): number[] {
  // A difference close to zero may be measured as negative.
  const invalidationMicros = Math.max(0, median(invalidation.difference));
  const registrationMicros = Math.max(0, median(registration));
  return costs.map(({ micros, keysRead }) => micros + invalidationMicros / queriesPerHold + keysRead * registrationMicros);
}

/** The same as figures. */
export function trackingFigures(part: Part, where: string, { invalidation, registration }: TrackingCost): Figure[] {
  return [
    {
      part,
      what: `a hold's script if a gateway caches the block and is informed of its change, ${where}`,
      unit: "µs of Redis a hold",
      ours: invalidation.tracked,
      peer: {
        name: `the same if nobody caches it, ${invalidation.holds.toLocaleString("en")} holds of each a round`,
        values: invalidation.untracked,
        isOurs: true,
      },
    },
    { part, what: `the difference of the two, turn by turn, ${where}`, unit: "µs of Redis a hold", ours: invalidation.difference },
    { part, what: `registering the reader of a key, ${where}`, unit: "µs of Redis a key", ours: registration },
  ];
}
