import type { SearchableRecords } from "@petak/records/testing/candidates";
import { createRandom } from "@petak/testkit";
import { median } from "../../median.ts";
import { type BenchServer, seed } from "../bench-context.ts";
import type { HoldTarget } from "../load/hold-targets.ts";
import type { Figure, Part } from "../report/figure.ts";
import { type CachedCost, queriesPerHold } from "./cached-cost.ts";
import { rememberingCost } from "./remembering-cost.ts";
import { type TellingCost, tellingCost } from "./telling-cost.ts";

/** What it costs the server that somebody keeps in memory what it holds, beyond the commands of queries. */
export interface KeepingCost {
  telling: TellingCost;
  /** In µs for each key read, by round. */
  remembering: number[];
}

/** Measures it. */
export async function keepingCost(
  { redis, connect }: BenchServer,
  gatewayRecords: { cached: SearchableRecords; plain: SearchableRecords },
  targets: readonly HoldTarget[],
  rounds: number,
): Promise<KeepingCost> {
  const telling = await tellingCost(redis, gatewayRecords, targets, rounds, createRandom(seed + 7));
  return { telling, remembering: await rememberingCost(connect, rounds) };
}

/** What queries cost in commands, and what keeping costs for each: holds are told of, and what is read is remembered. */
export function withKeeping(costs: readonly CachedCost[], { telling, remembering }: KeepingCost): number[] {
  // Differences may come out below nothing where there is next to none.
  const tellingMicros = Math.max(0, median(telling.more));
  const rememberingMicros = Math.max(0, median(remembering));
  return costs.map(({ micros, keysRead }) => micros + tellingMicros / queriesPerHold + keysRead * rememberingMicros);
}

/** The same as figures. */
export function keepingFigures(part: Part, where: string, { telling, remembering }: KeepingCost): Figure[] {
  return [
    {
      part,
      what: `a hold's script where a gateway keeps the block in memory and is told, ${where}`,
      unit: "µs of Redis a hold",
      ours: telling.told,
      peer: {
        name: `the same where nobody keeps it, ${telling.holds.toLocaleString("en")} holds of each a round`,
        values: telling.untold,
        isOurs: true,
      },
    },
    { part, what: `the same, told less untold, turn by turn, ${where}`, unit: "µs of Redis a hold", ours: telling.more },
    { part, what: `remembering who has read a key, ${where}`, unit: "µs of Redis a key", ours: remembering },
  ];
}
