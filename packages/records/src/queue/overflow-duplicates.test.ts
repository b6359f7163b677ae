import { type Reservation, ReservationState } from "@petak/protocol";
import type { RedisConnection } from "@petak/redis";
import { Crash, crashing, createRandom, makeSite, type Random, roundsHere, testSeed, testStoreCode, useRedis } from "@petak/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createRecords, type Records } from "../records.ts";
import { cornersNear, type RegionCorner } from "../reservations/testing/region-corner.ts";
import { end, regionOf, reserveOrWait, type Wish } from "./testing/waiting.ts";

const rounds = roundsHere({ short: 20, ci: 150 });
const nowMs = 1_800_000_000_000;

const redis = useRedis();
let connections: RedisConnection[];
let steady: Records[];
let mortal: Records[];
let random: Random;

beforeEach(async () => {
  random = createRandom(testSeed());
  const prefix = `${redis.keyPrefix}petak`;
  connections = await Promise.all(Array.from({ length: 6 }, () => redis.connect()));
  steady = connections.slice(0, 3).map((connection) => createRecords({ redis: connection, storeCode: testStoreCode, prefix }));
  mortal = connections
    .slice(3)
    .map((connection) => createRecords({ redis: crashing(connection, random.fork(), 0.1), storeCode: testStoreCode, prefix }));
});
afterEach(() => {
  for (const connection of connections) connection.disconnect();
});

/** Requests repeatedly, as a client whose connection fails now and then, until there is a response. */
async function ask(wish: Wish): Promise<Reservation> {
  for (;;) {
    try {
      const outcome = await reserveOrWait(random.pick(random.bool(0.6) ? mortal : steady), wish, nowMs);
      if (outcome.tag === "none") throw new Error("neither held nor waiting");
      return outcome.reservation;
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
    }
  }
}

describe("a request that may go to another region or be queued", () => {
  it("gets one of the two, once, however many duplicates run concurrently and whichever gateway crashes", {
    timeout: 240_000,
  }, async () => {
    const [plain] = steady as [Records];
    const [corner] = cornersNear({ latitude: 1.3, longitude: 103.8 }) as [RegionCorner, ...RegionCorner[]];
    const siteIds = await Promise.all(
      corner.regions.map(async (region, index) => {
        const site = makeSite({
          ...corner.inRegion(region, 50),
          ref: region,
          classes: [["M", 400, 400, 400, 20_000, index === 0 ? 1 : 2]],
        });
        return (await plain.sites.put(site, 0)).siteId;
      }),
    );
    const [wanted = "", ...elsewhere] = siteIds;
    const live: string[] = [];
    const seen = { queued: 0, there: 0, elsewhere: 0 };
    const isMissing = () => Object.values(seen).some((count) => count === 0);
    let asked = 0;
    // Rare outcomes take some more rounds.
    for (; asked < rounds || (asked < 10 * rounds && isMissing()); asked++) {
      const number = asked;
      const wish: Wish = { number, siteIds: [wanted], elsewhere: random.shuffle(elsewhere), edgeMm: 300 };
      // While the duplicates run, places become free and are taken.
      const [answers] = await Promise.all([
        Promise.all(Array.from({ length: 3 }, () => ask({ ...wish, elsewhere: random.shuffle(elsewhere) }))),
        random.bool(0.7) && live.length > 2 ? end(plain, live.splice(random.int(0, live.length - 1), 1)[0] ?? "", nowMs) : undefined,
      ]);
      const [first, ...others] = answers as [Reservation, ...Reservation[]];
      for (const other of others) expect(other).toEqual(first);
      live.push(first.reservationId);
      if (first.state === ReservationState.QUEUED) seen.queued += 1;
      else if (first.siteId === wanted) seen.there += 1;
      else seen.elsewhere += 1;
    }
    const events = await Promise.all(siteIds.map((siteId) => plain.events.readAfter(regionOf(siteId), "0-0", 100_000)));
    const made = new Set(events.flat().map(({ event }) => event.reservationId));
    expect(made.size).toBe(asked);
    const standing = await Promise.all([...made].map((id) => plain.reservations.find(id)));
    for (const siteId of siteIds) {
      const [count] = (await plain.sites.find(siteId))?.counts ?? [];
      const held = standing.filter((one) => one?.state === ReservationState.HELD && one.siteId === siteId);
      expect({ siteId, held: count?.held }).toEqual({ siteId, held: held.length });
    }
    expect({ ...seen, isMissing: isMissing() }).toMatchObject({ isMissing: false });
  });
});
