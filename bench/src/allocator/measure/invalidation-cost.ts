import { indexCellOf, quantise } from "@petak/allocator";
import type { SearchableRecords } from "@petak/records/testing/candidates";
import type { Random } from "@petak/testkit";
import type { Redis } from "ioredis";
import { median } from "../../median.ts";
import { concurrently } from "../concurrently.ts";
import { type HoldTarget, holdOther } from "../load/hold-targets.ts";
import { question } from "../network/network.ts";
import { commandTimes } from "./command-stats.ts";

/**
 * The time of a hold's script, in µs a hold, for each round of one run: the median of a round's turns, so that a turn in which the server
 * waited for the processor does not distort it.
 */
export interface InvalidationCost {
  /** If an allocator has read the block and is informed of its change. */
  tracked: number[];
  /** If nobody has read it. */
  untracked: number[];
  /** The difference of the two, turn by turn. */
  difference: number[];
  /** Holds of each kind in a round. */
  holds: number;
}

/** Passes of a round: each half is tracked in half of them. */
const passes = 12;

/** Blocks of each half in which a pass holds a place, at most. */
const blocksOfHalf = 400;

/** Holds of one kind that are measured before the other kind's turn. */
const holdsOfTurn = 25;

/** Concurrent holds or queries. */
const atOnce = 16;

/** The distance between the halves, in degrees of longitude: more than the blocks that one query reads. */
const gapDegrees = 0.1;

/**
 * The additional cost of a hold if an allocator caches the block in memory. The network is divided by a line from north to south. The
 * allocator with a cache reads the blocks of one half, and an allocator without a cache those of the other, so that both are equally warm
 * in the server's memory; then holds in both halves take turns, and in the next pass the halves are swapped.
 */
export async function invalidationCost(
  redis: Redis,
  { cached, plain }: { cached: SearchableRecords; plain: SearchableRecords },
  targets: readonly HoldTarget[],
  rounds: number,
  random: Random,
): Promise<InvalidationCost> {
  const longitudes = targets.map(({ position }) => position.longitude).sort((a, b) => a - b);
  const middle = longitudes[longitudes.length >> 1] as number;
  const west = targets.filter(({ position }) => position.longitude < middle - gapDegrees / 2);
  const east = targets.filter(({ position }) => position.longitude > middle + gapDegrees / 2);
  const cost: InvalidationCost = { tracked: [], untracked: [], difference: [], holds: 0 };
  for (let round = 0; round < rounds; round++) {
    const turns: Record<"tracked" | "untracked" | "difference", number[]> = { tracked: [], untracked: [], difference: [] };
    for (let pass = 0; pass < passes; pass++) {
      const samples = [onePerBlock(random.shuffle(west)), onePerBlock(random.shuffle(east))];
      const tracked = samples[pass % 2] as HoldTarget[];
      const untracked = samples[1 - (pass % 2)] as HoldTarget[];
      // A hold ends the registrations of the block's readers.
      for (const sample of [tracked, untracked]) await each(sample, (target) => holdOther(plain, target));
      await each(tracked, async (target) => await cached.nearest({ ...question, origin: target.position }));
      await each(untracked, async (target) => await plain.nearest({ ...question, origin: target.position }));
      const microsOf = async (sample: readonly HoldTarget[], from: number) => {
        const some = sample.slice(from, from + holdsOfTurn);
        const { scriptMicros } = await commandTimes(redis, () => each(some, (target) => holdOther(plain, target)));
        return scriptMicros / some.length;
      };
      const blocks = Math.min(tracked.length, untracked.length);
      for (let from = 0; from + holdsOfTurn <= blocks; from += holdsOfTurn) {
        // The order matters, because the second of the two finds the server busier or less busy.
        const first = turns.tracked.length % 2 === 0 ? await microsOf(tracked, from) : undefined;
        const untrackedMicros = await microsOf(untracked, from);
        const trackedMicros = first ?? (await microsOf(tracked, from));
        turns.tracked.push(trackedMicros);
        turns.untracked.push(untrackedMicros);
        turns.difference.push(trackedMicros - untrackedMicros);
      }
    }
    cost.tracked.push(median(turns.tracked));
    cost.untracked.push(median(turns.untracked));
    cost.difference.push(median(turns.difference));
    cost.holds = turns.tracked.length * holdsOfTurn;
  }
  return cost;
}

/** The number of targets that a half requires, each in another block. */
function onePerBlock(targets: readonly HoldTarget[]): HoldTarget[] {
  const byCell = new Map(targets.map((target) => [indexCellOf(quantise(target.position)), target]));
  return [...byCell.values()].slice(0, blocksOfHalf);
}

function each(targets: readonly HoldTarget[], act: (target: HoldTarget) => Promise<unknown>): Promise<void> {
  return concurrently(targets.length, atOnce, async (index) => {
    await act(targets[index] as HoldTarget);
  });
}
