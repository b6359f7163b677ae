import type { Position } from "@petak/protocol/geo";
import { giveBack, request, reserve } from "@petak/records/testing";
import { createSearchableRecords, type SearchableRecords } from "@petak/records/testing/candidates";
import { duplicateConnection, isCluster, type RedisConnection } from "@petak/redis";
import { createRandom, makeSite, testSeed, testStoreCode, useRedis } from "@petak/testkit";
import type { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { indexCellOf, regionOfCell } from "../geo/region.ts";
import { plainQuery } from "../testing/plain-query.ts";

const redis = useRedis();
let writer: RedisConnection;
let other: RedisConnection;
let cached: SearchableRecords;
let plain: SearchableRecords;
let roundTrips: number;
let underWay: number;
/** The connections of the cache: readers and listeners. */
let hearing: Redis[];

/** Much longer than needed. */
const readyTimeoutMs = 60_000;

/** Commands that connections send on their own. */
const housekeeping = new Set(["auth", "client", "cluster", "hello", "info", "ping", "subscribe"]);

/** Counts the round trips of a search: concurrent commands are one round trip. */
function countRoundTrips(connection: Redis): Redis {
  const send = connection.sendCommand.bind(connection);
  connection.sendCommand = (command, ...rest) => {
    if (!housekeeping.has(command.name)) {
      if (underWay === 0) roundTrips += 1;
      underWay += 1;
      const done = () => {
        underWay -= 1;
      };
      command.promise.then(done, done);
    }
    return send(command, ...rest);
  };
  return connection;
}

/** The records and a search with a cache, as in a gateway that has just started. */
function cachedAllocator(): SearchableRecords {
  const connect = (server: Redis) => {
    const connection = countRoundTrips(duplicateConnection(server, { onError: () => {} }));
    hearing.push(connection);
    return connection;
  };
  return createSearchableRecords({
    redis: writer,
    storeCode: testStoreCode,
    prefix: `${redis.keyPrefix}petak`,
    indexCache: { connect, onError: () => {} },
  });
}

beforeEach(async () => {
  [roundTrips, underWay] = [0, 0];
  hearing = [];
  [writer, other] = [await redis.connect(), await redis.connect()];
  for (const server of isCluster(writer) ? writer.nodes("master") : [writer]) countRoundTrips(server);
  cached = cachedAllocator();
  plain = createSearchableRecords({ redis: other, storeCode: testStoreCode, prefix: `${redis.keyPrefix}petak` });
});
afterEach(() => {
  cached.stop();
  for (const connection of [writer, other]) connection.disconnect();
});

describe("a search with a cached index", () => {
  it("takes at most two round trips when the next site is hundreds of km away, and is exact", async () => {
    const random = createRandom(testSeed());
    for (let index = 0; index < 200; index += 1) {
      const place = { latitude: random.float(-34, -18), longitude: random.float(116, 146) };
      await plain.sites.put(makeSite({ ...place, ref: `outback-${index}` }), 0);
    }
    cached.stop();
    cached = cachedAllocator();
    expect(await cached.ready(readyTimeoutMs)).toBe(true);
    const far: number[] = [];
    for (let round = 0; round < 50; round += 1) {
      const asked = plainQuery({ latitude: random.float(-32, -20), longitude: random.float(118, 144) });
      const expected = await plain.nearest(asked);
      roundTrips = 0;
      const found = await cached.nearest(asked);
      expect(roundTrips).toBeLessThanOrEqual(2);
      expect(found.map(({ siteId }) => siteId)).toEqual(expected.map(({ siteId }) => siteId));
      far.push(found[0]?.distanceM ?? 0);
    }
    expect(Math.max(...far)).toBeGreaterThan(100_000);
  });

  it("does not read cached data again", async () => {
    for (let index = 0; index < 50; index += 1) {
      await plain.sites.put(makeSite({ latitude: 1.3, longitude: 103.8 + index / 1000, ref: `${index}` }), 0);
    }
    expect(await cached.ready(readyTimeoutMs)).toBe(true);
    const asked = plainQuery({ latitude: 1.301, longitude: 103.82 });
    await cached.nearest(asked);
    await cached.nearest(asked);
    roundTrips = 0;
    expect(await cached.nearest(asked)).toEqual(await plain.nearest(asked));
    expect(roundTrips).toBe(0);
  });

  it("agrees with an uncached search, at once after each own hold and soon after a hold by another process", {
    timeout: 300_000,
  }, async () => {
    const random = createRandom(testSeed());
    const place = (): Position => ({ latitude: 1.35 + random.float(-0.004, 0.004), longitude: 103.82 + random.float(-0.004, 0.004) });
    for (let index = 0; index < 40; index += 1) {
      await plain.sites.put(makeSite({ ...place(), ref: `${index}`, classes: [["M", 400, 200, 500, 20_000, random.int(1, 3)]] }), 0);
    }
    expect(await cached.ready(readyTimeoutMs)).toBe(true);
    const reachM = 450;
    const expectSame = async (isMeanwhileOld = false) => {
      const asked = plainQuery(place(), { limit: 10, radiusM: reachM });
      const look = async () => expect(await cached.nearest(asked)).toEqual(await plain.nearest(asked));
      await (isMeanwhileOld ? vi.waitFor(look, { interval: 1, timeout: 60_000 }) : look());
    };
    const held: string[] = [];
    let number = 0;
    for (let round = 0; round < 300; round += 1) {
      const isOwn = random.bool(0.8);
      const taken = await Promise.all(
        Array.from({ length: random.int(1, 8) }, () => reserve(isOwn ? cached : plain, place(), number++, reachM)),
      );
      await expectSame(!isOwn);
      for (const outcome of taken) if (outcome.tag !== "none") held.push(outcome.reservation.reservationId);
      while (held.length > 0 && random.bool(0.75)) await giveBack(random.bool(0.5) ? cached : plain, held.shift() ?? "");
      await expectSame(true);
    }
    expect(number).toBeGreaterThan(600);
  });

  it("does not cache a read that was answered before an own hold and processed after it", async () => {
    const { siteId } = await plain.sites.put(
      makeSite({ latitude: 1.35, longitude: 103.82, classes: [["M", 400, 200, 500, 20_000, 200]] }),
      0,
    );
    expect(await cached.ready(readyTimeoutMs)).toBe(true);
    const origin = { latitude: 1.35, longitude: 103.82 };
    const asked = plainQuery(origin);
    const freeOf = async (records: SearchableRecords) => (await records.nearest(asked))[0]?.classes[0]?.free;
    for (let number = 0; number < 80; number += 2) {
      const found = await cached.nearest(asked);
      await reserve(plain, origin, number);
      // The block has been invalidated by then; a read, and a hold based on the earlier result, are sent in one turn.
      await Promise.all(hearing.filter(({ status }) => status === "ready").map((connection) => connection.ping()));
      const candidates = found.map((one) => ({ ...one, operatorId: "", classes: [{ index: 0, sizeClassId: "M" }] }));
      const reading = cached.nearest(asked);
      const taken = await cached.holds.take(request(origin, number + 1), candidates, async () => undefined);
      await reading;
      expect(taken).toMatchObject({ tag: "held", reservation: { siteId } });
      expect(await freeOf(cached)).toBe(await freeOf(plain));
    }
  });

  it("is notified of another process's change to a key that it has just changed itself", async () => {
    const { siteId } = await plain.sites.put(
      makeSite({ latitude: 1.35, longitude: 103.82, classes: [["M", 400, 200, 500, 20_000, 9]] }),
      0,
    );
    expect(await cached.ready(readyTimeoutMs)).toBe(true);
    const asked = plainQuery({ latitude: 1.35, longitude: 103.82 });
    const freeOf = async (records: SearchableRecords) => (await records.nearest(asked))[0]?.classes[0]?.free;
    const origin = { latitude: 1.35, longitude: 103.82 };
    expect(await freeOf(cached)).toBe(9);
    for (let number = 0; number < 8; number += 2) {
      expect(await reserve(cached, origin, number)).toMatchObject({ tag: "held", reservation: { siteId } });
      expect(await freeOf(cached)).toBe(8 - number);
      expect(await reserve(plain, origin, number + 1)).toMatchObject({ tag: "held", reservation: { siteId } });
      await vi.waitFor(async () => expect(await freeOf(cached)).toBe(7 - number), { interval: 1, timeout: 60_000 });
    }
  });

  it("agrees with an uncached search at once after each own change", async () => {
    const random = createRandom(testSeed());
    expect(await cached.ready(readyTimeoutMs)).toBe(true);
    const place = (): Position => ({ latitude: 1.3 + random.float(-0.6, 0.6), longitude: 103.8 + random.float(-0.6, 0.6) });
    for (let round = 0; round < 300; round += 1) {
      const position = place();
      const ref = `${regionOfCell(indexCellOf(position))}-${random.int(0, 20)}`;
      const { siteId } = await cached.sites.put(makeSite({ ...position, ref }), round);
      if (random.bool(0.2)) await cached.sites.retire(siteId, round);
      const asked = plainQuery(place(), { limit: random.int(1, 20) });
      expect(await cached.nearest(asked)).toEqual(await plain.nearest(asked));
    }
  });
});
