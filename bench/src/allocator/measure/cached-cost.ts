import type { Position } from "@petak/allocator";
import type { SearchableRecords } from "@petak/records/testing/candidates";
import type { Random } from "@petak/testkit";
import type { Redis } from "ioredis";
import { concurrently } from "../concurrently.ts";
import { type HoldTarget, holdOther } from "../load/hold-targets.ts";
import { question } from "../network/network.ts";
import { type CommandTimes, commandTimes, sumOf } from "./command-stats.ts";

/** Queries for each hold: there are more searches than reservations. */
export const queriesPerHold = 10;

/** Concurrent calls. */
const atOnce = 16;

/** The server's cost of queries with an index cache, parts of which holds invalidate. */
export interface CachedCost {
  /** Processor time in commands, in µs a query. */
  micros: number;
  /** Keys read, a query. */
  keysRead: number;
  /** Calls of each command, a query. */
  commands: Record<string, number>;
}

/**
 * Queries and holds take turns, in groups of concurrent calls, and the server's commands are counted around the queries alone. So the
 * holds' own scripts are not counted, but the reads that holds cause in later queries are.
 *
 * @param targets Sites at which places are held, chosen at random.
 */
export async function cachedCost(
  redis: Redis,
  cached: SearchableRecords,
  origins: readonly Position[],
  targets: readonly HoldTarget[],
  random: Random,
): Promise<CachedCost> {
  const perTurn = atOnce * queriesPerHold;
  const turns: CommandTimes[] = [];
  for (let from = 0; from < origins.length; from += perTurn) {
    const some = origins.slice(from, from + perTurn);
    turns.push(
      await commandTimes(redis, () =>
        concurrently(some.length, atOnce, async (index) => {
          await cached.nearest({ ...question, origin: some[index] as Position });
        }),
      ),
    );
    await concurrently(Math.ceil(some.length / queriesPerHold), atOnce, () => holdOther(cached, random.pick(targets)));
  }
  const { micros, keysRead, calls } = sumOf(turns);
  return {
    micros: micros / origins.length,
    keysRead: keysRead / origins.length,
    commands: Object.fromEntries(Object.entries(calls).map(([command, count]) => [command, count / origins.length])),
  };
}
