import type { HoldRequest } from "@petak/records";
import type { HoldCandidate, SearchableRecords } from "@petak/records/testing/candidates";
import { createRandom } from "@petak/testkit";
import { type BenchContext, seed, withoutRewriting, withServer } from "../bench-context.ts";
import { concurrently, repeatedly } from "../concurrently.ts";
import { loadCity } from "../load/filled-city.ts";
import { serverMicros } from "../measure/server-micros.ts";
import { askedClass, type Network, operatorId, positionOf, question } from "../network/network.ts";
import { holdRequest } from "../ours/holds.ts";
import { newOrder } from "../ours/orders.ts";
import { createBareWrites } from "../peers/bare-writes.ts";
import type { Figure, Target } from "../report/figure.ts";

/** Sites at which places are held. */
const siteCount = 10_000;

/** Places of each site: none ever becomes full. */
const manyPlaces = 5000;

/** Concurrent calls on the one connection, and the target of a hold's rate relative to the increment's. */
const loads: readonly { atOnce: number; name: string; target?: Target }[] = [
  { atOnce: 64, name: "64 under way at once", target: { limit: 0.5, is: "at least" } },
  { atOnce: 1, name: "one after another" },
];

/** Holds that are prepared before the measurement, so that only the script and the way to it are compared. */
const readyPerSecond = 120_000;

/** Holds whose writes are combined: the most that the allocator combines. */
const writtenTogether = 32;

const bareWritesName = "the six writes of a hold in a script that does nothing else";

const incrementScript = "#!lua\nreturn redis.call('INCR', KEYS[1])";

/** A hold that only needs to be sent. */
interface ReadyHold {
  request: HoldRequest;
  candidate: HoldCandidate;
}

/** Holds a second over one connection, compared with a script that increments a key. */
export async function measureHolds(context: BenchContext): Promise<Figure[]> {
  const { rounds, seconds, say } = context;
  return await withServer(false, async (server) => {
    const { redis, records } = server;
    const { network } = await loadCity(context, server, siteCount, () => manyPlaces);
    await withoutRewriting(redis);
    const candidates = await candidatesOf(records, network);
    const digest = (await redis.script("LOAD", incrementScript)) as string;
    const random = createRandom(seed + 4);
    const writeBarely = await createBareWrites(redis);
    const figures: Figure[] = [];
    for (const { atOnce, name, target } of loads) {
      const increments: number[] = [];
      const holds: number[] = [];
      const writes: number[] = [];
      const micros = { holds: [] as number[], writes: [] as number[] };
      for (let round = 0; round < rounds; round++) {
        say(`Holds, ${name}: round ${round + 1} of ${rounds}`);
        const plain = await repeatedly(seconds, atOnce, async () => {
          await redis.evalsha(digest, 1, "bench:{counter}");
        });
        increments.push(plain.done / plain.seconds);
        const ready = Array.from({ length: readyPerSecond * seconds }, (): ReadyHold => {
          const index = random.int(0, siteCount - 1);
          const candidate = candidates[index] as HoldCandidate;
          return { request: holdRequest(newOrder(positionOf(network, index)), candidate.region), candidate };
        });
        const beforeWrites = await serverMicros(redis);
        const together = Math.min(atOnce, writtenTogether);
        const wrote = await repeatedly(seconds, atOnce / together, () => writeBarely(together));
        micros.writes.push(((await serverMicros(redis)) - beforeWrites) / (wrote.done * together));
        writes.push((wrote.done * together) / wrote.seconds);
        const beforeHolds = await serverMicros(redis);
        const held = await repeatedly(seconds, atOnce, async () => {
          const hold = ready.pop();
          if (hold === undefined) throw new Error(`more than ${readyPerSecond} holds a second: prepare more`);
          const { tag } = await records.holds.take(hold.request, [hold.candidate], async () => hold.candidate);
          if (tag !== "held") throw new Error(`a hold failed: ${tag}`);
        });
        micros.holds.push(((await serverMicros(redis)) - beforeHolds) / held.done);
        holds.push(held.done / held.seconds);
      }
      figures.push({
        part: "holds",
        what: `holds through the script, one connection, ${name}`,
        unit: "a second",
        ours: holds,
        peer: { name: "EVALSHA of a script that adds one to a key", values: increments },
        ...(target === undefined ? {} : { target }),
      });
      figures.push({
        part: "holds",
        what: `holds beside their writes alone, one connection, ${name}`,
        unit: "a second",
        ours: holds,
        peer: { name: bareWritesName, values: writes },
      });
      figures.push({
        part: "holds",
        what: `the same, processor time of the server's main thread, ${name}`,
        unit: "µs a hold",
        ours: micros.holds,
        peer: { name: bareWritesName, values: micros.writes },
      });
    }
    return figures;
  });
}

/** Each site as a search at its position finds it. */
async function candidatesOf(records: SearchableRecords, network: Network): Promise<HoldCandidate[]> {
  const candidates: HoldCandidate[] = [];
  await concurrently(siteCount, 50, async (index) => {
    const [found] = await records.nearest({ ...question, origin: positionOf(network, index), limit: 1 });
    if (found === undefined) throw new Error(`site ${index} is not at its position`);
    const { siteId, region, siteNumber, revision, cell, offset } = found;
    candidates[index] = { siteId, region, siteNumber, operatorId, revision, cell, offset, classes: [askedClass] };
  });
  return candidates;
}
