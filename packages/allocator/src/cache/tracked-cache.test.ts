import { setImmediate } from "node:timers/promises";
import type { Position } from "@petak/protocol/geo";
import { createRecords, type Records } from "@petak/records";
import { createKeys, duplicateConnection, type RedisConnection } from "@petak/redis";
import { createRandom, makeSite, testSeed, testStoreCode, useRedis } from "@petak/testkit";
import { gridDisk } from "h3-js";
import type { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freeOffset } from "../block/record.ts";
import { indexCellOf, regionOfCell } from "../geo/region.ts";
import { createTrackedCache, type TrackedCache, type TrackedCacheOptions } from "./tracked-cache.ts";

/** Four regions: on a cluster they are on several masters. */
const places: Position[] = [
  { latitude: 1.3, longitude: 103.8 },
  { latitude: 3.1, longitude: 101.7 },
  { latitude: 10.8, longitude: 106.7 },
  { latitude: 13.7, longitude: 100.5 },
];
const [origin] = places as [Position];

const redis = useRedis();
const { block } = createKeys("petak");
let keys: string[];
let originKey: string;
let writer: RedisConnection;
let other: RedisConnection;
/** For each server the listener, then the reader. */
let made: Redis[];
let keysRead: string[];
let records: Records;
let elsewhere: Records;
let cache: TrackedCache;
let nowMs: number;

beforeEach(async () => {
  const cells = places.flatMap((place) => gridDisk(indexCellOf(place), 1).map((cell) => ({ cell, region: regionOfCell(cell) })));
  keys = cells.map(({ region, cell }) => redis.keyPrefix + block(region, cell));
  originKey = redis.keyPrefix + block(regionOfCell(indexCellOf(origin)), indexCellOf(origin));
  [writer, other] = [await redis.connect(), await redis.connect()];
  [made, keysRead, nowMs] = [[], [], 0];
  records = createRecords({ redis: writer, storeCode: testStoreCode, prefix: `${redis.keyPrefix}petak` });
  elsewhere = createRecords({ redis: other, storeCode: testStoreCode, prefix: `${redis.keyPrefix}petak` });
  cache = await startCache();
});
afterEach(() => {
  cache.stop();
  for (const connection of [writer, other]) connection.disconnect();
});

async function startCache(options: Partial<TrackedCacheOptions> = {}): Promise<TrackedCache> {
  const started = createTrackedCache({
    writer,
    connect(server) {
      const connection = duplicateConnection(server, { onError: () => {} });
      made.push(connection);
      return connection;
    },
    onError: () => {},
    now: () => nowMs,
    ...options,
  });
  await expect.poll(() => started.isReliable).toBe(true);
  return started;
}

const mget = (connection: RedisConnection, missing: readonly string[]) => {
  keysRead.push(...missing);
  return connection.mgetBuffer([...missing]);
};
/** The cached values; undefined unless the cache is reliable and has all of them. */
function known(): unknown[] | undefined {
  cache.check();
  const values = keys.map((key) => cache.peek(key));
  return values.includes(undefined) ? undefined : values;
}
const readAll = () => cache.fetch(keys, mget);
const blocks = async () => known() ?? (await readAll());
const truth = () => Promise.all(keys.map((key) => other.getBuffer(key)));
const put = (by: Records, ref: string, installed: number, place = origin) =>
  by.sites.put(makeSite({ ...place, ref, classes: [["M", 400, 200, 500, 20_000, installed]] }), 0);

describe("the tracked cache", () => {
  it("reads a block once, also an empty one", async () => {
    await put(records, "a", 1);
    expect(known()).toBeUndefined();
    const read = await readAll();
    expect(known()).toEqual(read);
    expect(read).toEqual(await truth());
    expect(read.filter((bytes) => bytes === null).length).toBeGreaterThan(0);
  });

  it("never returns an outdated value after a change by this process", async () => {
    for (let installed = 1; installed <= 50; installed += 1) {
      await put(records, "a", installed);
      expect(await blocks()).toEqual(await truth());
    }
  });

  it("is notified of changes by others", async () => {
    const random = createRandom(testSeed());
    for (let round = 0; round < 100; round += 1) {
      const [number, place] = [random.int(0, 3), random.pick(places)];
      // A value read while it changes must not be cached.
      const change = put(elsewhere, `site-${places.indexOf(place)}-${number}`, random.int(1, 200), place);
      const [before] = await Promise.all([blocks(), change, blocks()]);
      expect(before).toBeDefined();
      const now = await truth();
      await expect.poll(blocks, { interval: 1 }).toEqual(now);
    }
  });

  it("forgets everything when the server is flushed", async () => {
    await put(records, "a", 1);
    await blocks();
    await Promise.all(keys.map((key) => other.del(key)));
    await expect.poll(blocks, { interval: 1 }).toEqual(keys.map(() => null));
  });

  it("is not reliable after 800 ms without an answer, and then reads current values", async () => {
    await put(records, "a", 1);
    await blocks();
    nowMs += 1_000_000;
    expect(cache.isReliable).toBe(false);
    expect(known()).toBeUndefined();
    expect(await readAll()).toEqual(await truth());
    await expect.poll(() => cache.isReliable).toBe(true);
    expect(known()).toEqual(await truth());
  });

  it.each([0, 1])("discards all values when either of its connections is lost (%i)", async (which) => {
    await put(elsewhere, "a", 1);
    await blocks();
    const lost = made.filter((_, index) => index % 2 === which);
    const closed = lost.map((connection) => new Promise((resolve) => connection.once("close", resolve)));
    for (const connection of lost) connection.disconnect(true);
    await Promise.all(closed);
    expect(known()).toBeUndefined();
    await put(elsewhere, "a", 7);
    expect(await readAll()).toEqual(await truth());
    await expect.poll(() => cache.isReliable).toBe(true);
    expect(await blocks()).toEqual(await truth());
    await put(elsewhere, "a", 8);
    const now = await truth();
    await expect.poll(blocks, { interval: 1 }).toEqual(now);
  });
});

describe("reads of the same key", () => {
  it("are shared when concurrent", async () => {
    await put(records, "a", 1);
    const all = await Promise.all(Array.from({ length: 16 }, readAll));
    expect(keysRead.toSorted()).toEqual(keys.toSorted());
    for (const read of all) expect(read).toEqual(await truth());
    const some = await Promise.all([cache.fetch(keys.slice(3), mget), cache.fetch([...keys, ...keys], mget)]);
    expect(some).toEqual([(await truth()).slice(3), [...(await truth()), ...(await truth())]]);
    expect(keysRead).toHaveLength(keys.length);
  });

  it("do not share a read that began before a change by this process", async () => {
    await put(records, "a", 1);
    let letGo = () => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const before = await truth();
    const slow = cache.fetch(keys, async (connection, missing) => {
      const values = await mget(connection, missing);
      await held;
      return values;
    });
    await put(records, "a", 2);
    const now = await truth();
    expect(now).not.toEqual(before);
    expect((await cache.fetch([originKey], mget))[0]).toEqual(now[keys.indexOf(originKey)]);
    letGo();
    await slow;
    expect(await blocks()).toEqual(now);
  });

  it("never return a value older than a change acknowledged before they began, however many are concurrent", async () => {
    let acknowledged = 0;
    let isDone = false;
    const read = async () => {
      while (!isDone) {
        const least = acknowledged;
        const [bytes] = await cache.fetch([originKey], mget);
        // Cached values are returned synchronously.
        await setImmediate();
        if (least > 0) expect(bytes?.[freeOffset]).toBeGreaterThanOrEqual(least);
      }
    };
    const reading = Promise.all(Array.from({ length: 16 }, read));
    for (let installed = 1; installed <= 200; installed++) {
      await put(records, "a", installed);
      acknowledged = installed;
    }
    isDone = true;
    await reading;
    // Each of the 200 keys was read at least once, and far less often than requested.
    expect(keysRead.length).toBeLessThan(16 * 200);
  });

  it("fail together when the read fails, and the next request reads again", async () => {
    const failing = () => cache.fetch(keys, () => Promise.reject(new Error("no answer")));
    const results = await Promise.allSettled([failing(), readAll()]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(await readAll()).toEqual(await truth());
  });
});

describe("a cache that is full", () => {
  const keysMax = 100;
  const keyOf = (number: number) => redis.keyPrefix + block("836520", number.toString(16).padStart(10, "0"));
  const wanted = Array.from({ length: 50 }, (_, number) => number);
  const isKnown = (number: number) => cache.peek(keyOf(number)) !== undefined;
  const fetchKeys = (numbers: number[]) => cache.fetch(numbers.map(keyOf), mget);

  beforeEach(async () => {
    cache.stop();
    cache = await startCache({ keysMax });
  });

  it("evicts one key for each new one, and none that is requested repeatedly", async () => {
    for (let number = 0; number < keysMax; number++) await fetchKeys([number]);
    expect(wanted.every(isKnown)).toBe(true);
    for (let number = keysMax; number < 10 * keysMax; number++) {
      await fetchKeys([number]);
      expect(wanted.every(isKnown)).toBe(true);
    }
    const kept = Array.from({ length: 10 * keysMax }, (_, number) => number).filter(isKnown);
    expect(kept).toHaveLength(keysMax);
  });

  it("evicts the least recently requested key when all are in use", async () => {
    for (let number = 0; number < keysMax; number++) await fetchKeys([number]);
    for (let number = 0; number < keysMax; number++) expect(isKnown(number)).toBe(true);
    await fetchKeys([keysMax]);
    const kept = Array.from({ length: keysMax + 1 }, (_, number) => number).filter(isKnown);
    expect(kept).toHaveLength(keysMax);
  });
});
