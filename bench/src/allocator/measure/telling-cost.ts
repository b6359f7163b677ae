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
 * What a hold's script takes, in µs a hold, in the rounds of one run. Each is the median of a round's turns: a turn in which the server had to wait
 * for the processor counts for no more than another.
 */
export interface TellingCost {
  /** Where an allocator has read the block and is told that it changes. */
  told: number[];
  /** Where nobody has read it. */
  untold: number[];
  /** By how much the one is more than the other, turn by turn. */
  more: number[];
  /** Holds of each kind in a round. */
  holds: number;
}

/** Passes of a round: both halves are told in as many of them. */
const passes = 12;

/** Blocks of each half in which a pass holds a place, at most. */
const blocksOfHalf = 400;

/** Holds that are measured before the other kind gets its turn. */
const holdsOfTurn = 25;

/** Holds, and queries, that are under way at once. */
const atOnce = 16;

/** How far the halves are apart, in degrees of longitude: farther than the blocks that one query reads. */
const gapDegrees = 0.1;

/**
 * What it costs more to hold where an allocator keeps the block in memory. The network is halved by a line from north to south. In the one half
 * the allocator with a cache reads the blocks, in the other an allocator without does, so that both are as warm in the server's memory; then holds
 * in both take turns, and in the next pass the halves change sides.
 */
export async function tellingCost(
  redis: Redis,
  { cached, plain }: { cached: SearchableRecords; plain: SearchableRecords },
  targets: readonly HoldTarget[],
  rounds: number,
  random: Random,
): Promise<TellingCost> {
  const longitudes = targets.map(({ position }) => position.longitude).sort((a, b) => a - b);
  const middle = longitudes[longitudes.length >> 1] as number;
  const west = targets.filter(({ position }) => position.longitude < middle - gapDegrees / 2);
  const east = targets.filter(({ position }) => position.longitude > middle + gapDegrees / 2);
  const cost: TellingCost = { told: [], untold: [], more: [], holds: 0 };
  for (let round = 0; round < rounds; round++) {
    const turns: Record<"told" | "untold" | "more", number[]> = { told: [], untold: [], more: [] };
    for (let pass = 0; pass < passes; pass++) {
      const samples = [onePerBlock(random.shuffle(west)), onePerBlock(random.shuffle(east))];
      const told = samples[pass % 2] as HoldTarget[];
      const untold = samples[1 - (pass % 2)] as HoldTarget[];
      // A hold ends what the server remembers of who has read the block.
      for (const sample of [told, untold]) await each(sample, (target) => holdOther(plain, target));
      await each(told, async (target) => await cached.nearest({ ...question, origin: target.position }));
      await each(untold, async (target) => await plain.nearest({ ...question, origin: target.position }));
      const microsOf = async (sample: readonly HoldTarget[], from: number) => {
        const some = sample.slice(from, from + holdsOfTurn);
        const { scriptMicros } = await commandTimes(redis, () => each(some, (target) => holdOther(plain, target)));
        return scriptMicros / some.length;
      };
      const blocks = Math.min(told.length, untold.length);
      for (let from = 0; from + holdsOfTurn <= blocks; from += holdsOfTurn) {
        // Who comes second finds the server busier or idler than who comes first.
        const first = turns.told.length % 2 === 0 ? await microsOf(told, from) : undefined;
        const untoldMicros = await microsOf(untold, from);
        const toldMicros = first ?? (await microsOf(told, from));
        turns.told.push(toldMicros);
        turns.untold.push(untoldMicros);
        turns.more.push(toldMicros - untoldMicros);
      }
    }
    cost.told.push(median(turns.told));
    cost.untold.push(median(turns.untold));
    cost.more.push(median(turns.more));
    cost.holds = turns.told.length * holdsOfTurn;
  }
  return cost;
}

/** As many targets as a half needs, each in another block. */
function onePerBlock(targets: readonly HoldTarget[]): HoldTarget[] {
  const byCell = new Map(targets.map((target) => [indexCellOf(quantise(target.position)), target]));
  return [...byCell.values()].slice(0, blocksOfHalf);
}

function each(targets: readonly HoldTarget[], act: (target: HoldTarget) => Promise<unknown>): Promise<void> {
  return concurrently(targets.length, atOnce, async (index) => {
    await act(targets[index] as HoldTarget);
  });
}
