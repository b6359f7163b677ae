import type { Position } from "@petak/allocator";
import type { Redis } from "ioredis";
import { concurrently } from "../concurrently.ts";
import { commandTimes } from "./command-stats.ts";

/** Concurrent queries. */
const atOnce = 16;

/** The server's cost of a query. */
export interface QueryCost {
  /** Processor time in commands, in µs a query. */
  micros: number[];
  /** Calls of each command, a query. */
  commands: Record<string, number>;
}

/** Ways to answer a query, by name. */
export type Subjects = Record<string, (origin: Position) => Promise<unknown>>;

/** Measures all subjects in turn with the same queries, round after round, so that a slow period of the machine affects all of them. */
export async function queryCosts<S extends Subjects>(
  redis: Redis,
  origins: readonly Position[],
  rounds: number,
  subjects: S,
): Promise<{ [name in keyof S]: QueryCost }> {
  const costs = Object.fromEntries(Object.keys(subjects).map((name): [string, QueryCost] => [name, { micros: [], commands: {} }]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, ask] of Object.entries(subjects)) {
      const { micros, calls } = await commandTimes(redis, () =>
        concurrently(origins.length, atOnce, async (index) => {
          await ask(origins[index] as Position);
        }),
      );
      const cost = costs[name] as QueryCost;
      cost.micros.push(micros / origins.length);
      cost.commands = Object.fromEntries(Object.entries(calls).map(([command, count]) => [command, count / origins.length]));
    }
  }
  return costs as { [name in keyof S]: QueryCost };
}
