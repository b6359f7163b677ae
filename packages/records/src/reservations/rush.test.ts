import type { Position } from "@petak/allocator";
import { indexCellOf, regionOfCell } from "@petak/allocator";
import type { Reservation } from "@petak/protocol";
import type { RedisConnection } from "@petak/redis";
import { Crash, crashing, createRandom, makeSite, type Random, roundsHere, testSeed, testStoreCode, useRedis } from "@petak/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { actualHolds, countedHolds } from "../testing/held-counts.ts";
import { createSearchableRecords, type SearchableRecords } from "../testing/searchable-records.ts";
import type { HoldOutcome } from "./reserve.ts";
import { giveBack, reserve } from "./testing/holding.ts";
import { cornersNear, type RegionCorner } from "./testing/region-corner.ts";

/** The number of attempts to hold a place. */
const attempts = roundsHere({ short: 800, ci: 50_000, long: 1_000_000 });
const clients = 48;

/** So near that a search reads only the cells around its origin: this test is about the holds. */
const reachM = 450;
const connectionsOfEach = 4;

const redis = useRedis();
const city: Position = { latitude: 1.35, longitude: 103.82 };
let connections: RedisConnection[];
let steady: SearchableRecords[];
let mortal: SearchableRecords[];
let random: Random;
let corner: RegionCorner;

beforeEach(async () => {
  random = createRandom(testSeed());
  connections = await Promise.all(Array.from({ length: 2 * connectionsOfEach }, () => redis.connect()));
  const prefix = `${redis.keyPrefix}petak`;
  steady = connections
    .slice(0, connectionsOfEach)
    .map((connection) => createSearchableRecords({ redis: connection, storeCode: testStoreCode, prefix }));
  mortal = connections
    .slice(connectionsOfEach)
    .map((connection) => createSearchableRecords({ redis: crashing(connection, random.fork(), 0.05), storeCode: testStoreCode, prefix }));
  [corner] = cornersNear({ latitude: 1.3, longitude: 103.8 }) as [RegionCorner, ...RegionCorner[]];
});
afterEach(() => {
  for (const connection of connections) connection.disconnect();
});

/** A point within a few hundred metres of a corner of three regions or, mostly, of the middle of one: holds over several regions take more steps. */
function somewhere(): Position {
  const { latitude, longitude } = random.bool(0.2) ? corner.position : city;
  return { latitude: latitude + random.float(-0.004, 0.004), longitude: longitude + random.float(-0.004, 0.004) };
}

/** Performs a request as a client does: after a crash it is repeated at a gateway that does not crash. */
async function survived<Result>(work: (records: SearchableRecords) => Promise<Result>): Promise<{ result: Result; hasCrashed: boolean }> {
  try {
    return { result: await work(random.pick(random.bool(0.5) ? mortal : steady)), hasCrashed: false };
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
    return { result: await work(random.pick(steady)), hasCrashed: true };
  }
}

describe("a rush for the last places", () => {
  it("takes each once, leaks none and repeats its responses, whichever gateway crashes at whichever step", {
    timeout: 1_800_000,
  }, async () => {
    const capacities = new Map<string, number>();
    for (let index = 0; index < 40; index += 1) {
      const installed = random.int(1, 6);
      const site = makeSite({ ...somewhere(), ref: `${index}`, classes: [["M", 400, 200, 500, 20_000, installed]] });
      capacities.set((await (steady[0] as SearchableRecords).sites.put(site, 0)).siteId, installed);
    }
    const held = new Map<number, { origin: Position; reservation: Reservation }>();
    const answers = new Map<number, string>();
    const given = new Set<string>();
    const seen = { held: 0, none: 0, crashed: 0, repeated: 0, given: 0 };
    let next = 0;

    function note(number: number, origin: Position, outcome: HoldOutcome): void {
      if (outcome.tag === "none") {
        seen.none += 1;
        return;
      }
      const { reservation } = outcome;
      // Requests and reservations are in one-to-one correspondence.
      expect(answers.get(number) ?? reservation.reservationId).toBe(reservation.reservationId);
      if (answers.has(number)) return;
      expect(given.has(reservation.reservationId)).toBe(false);
      given.add(reservation.reservationId);
      answers.set(number, reservation.reservationId);
      held.set(number, { origin, reservation });
      seen.held += 1;
    }

    async function client(): Promise<void> {
      while (next < attempts) {
        const number = next;
        next += 1;
        const origin = somewhere();
        const { result, hasCrashed } = await survived((records) => reserve(records, origin, number, reachM));
        if (hasCrashed) seen.crashed += 1;
        note(number, origin, result);
        if (result.tag !== "none" && random.bool(0.1)) {
          seen.repeated += 1;
          note(number, origin, await reserve(random.pick(steady), origin, number, reachM));
        }
        if (held.size > 0 && random.bool(0.8)) {
          const [first] = held;
          const [oldest, { reservation }] = first as [number, { origin: Position; reservation: Reservation }];
          held.delete(oldest);
          await survived((records) => giveBack(records, reservation.reservationId));
          seen.given += 1;
        }
        if (random.bool(0.01)) {
          const siteId = random.pick([...capacities.keys()]);
          const stored = await random.pick(steady).sites.find(siteId);
          const [count] = stored?.counts ?? [];
          expect(count?.held).toBeGreaterThanOrEqual(0);
          expect(count?.held).toBeLessThanOrEqual(capacities.get(siteId) ?? 0);
        }
      }
    }

    await Promise.all(Array.from({ length: clients }, client));

    const heldAt = new Map<string, number>();
    for (const { reservation } of held.values()) heldAt.set(reservation.siteId, (heldAt.get(reservation.siteId) ?? 0) + 1);
    const plain = steady[0] as SearchableRecords;
    for (const [siteId, installed] of capacities) {
      const [count] = (await plain.sites.find(siteId))?.counts ?? [];
      expect({ siteId, ...count }).toMatchObject({ siteId, installed, held: heldAt.get(siteId) ?? 0, occupied: 0 });
    }
    const { keys } = plain;
    const regions = [...new Set([...corner.regions, regionOfCell(indexCellOf(city))])];
    const [deadlines, events] = await Promise.all([
      Promise.all(regions.map((region) => redis.client.zcard(keys.deadlines(region)))),
      Promise.all(regions.map((region) => redis.client.xlen(keys.events(region)))),
    ]);
    expect(deadlines.reduce((sum, count) => sum + count, 0)).toBe(held.size);
    for (const region of regions) {
      expect(await countedHolds(redis.client, keys, region)).toEqual(await actualHolds(redis.client, keys, plain, region));
    }
    expect(events.reduce((sum, count) => sum + count, 0)).toBe(seen.held + seen.given);
    // It was a rush: requests competed for places, and gateways crashed.
    expect(seen.held).toBeGreaterThan(attempts / 10);
    expect(seen.crashed).toBeGreaterThan(attempts / 100);
    process.stdout.write(`${attempts} attempts: ${JSON.stringify(seen)}\n`);
  });
});
