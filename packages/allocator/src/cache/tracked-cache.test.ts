import { setImmediate } from "node:timers/promises";
import { type Allocator, createAllocator } from "@petak/records";
import { connectLike, createKeys, type RedisConnection } from "@petak/redis";
import { createRandom, makeSite, testSeed, testStoreCode, useRedis } from "@petak/testkit";
import { gridDisk } from "h3-js";
import type { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freeOffset } from "../block/record.ts";
import type { Position } from "../geo/position.ts";
import { indexCellOf, regionOfCell } from "../geo/region.ts";
import { createTrackedCache, type TrackedCache, type TrackedCacheOptions } from "./tracked-cache.ts";

/** Four regions: on a cluster they are at several masters. */
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
/** For each server the one that listens, then the one that reads. */
let made: Redis[];
let keysRead: string[];
let allocator: Allocator;
let elsewhere: Allocator;
let cache: TrackedCache;
let nowMs: number;

beforeEach(async () => {
  const cells = places.flatMap((place) => gridDisk(indexCellOf(place), 1).map((cell) => ({ cell, region: regionOfCell(cell) })));
  keys = cells.map(({ region, cell }) => redis.keyPrefix + block(region, cell));
  originKey = redis.keyPrefix + block(regionOfCell(indexCellOf(origin)), indexCellOf(origin));
  [writer, other] = [await redis.connect(), await redis.connect()];
  [made, keysRead, nowMs] = [[], [], 0];
  allocator = createAllocator({ redis: writer, storeCode: testStoreCode, prefix: `${redis.keyPrefix}petak` });
  elsewhere = createAllocator({ redis: other, storeCode: testStoreCode, prefix: `${redis.keyPrefix}petak` });
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
      const connection = connectLike(server, { onError: () => {} });
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
/** What is known without asking; undefined where it is not relied on, or not all of it is known. */
function known(): unknown[] | undefined {
  cache.check();
  const values = keys.map((key) => cache.peek(key));
  return values.includes(undefined) ? undefined : values;
}
const readAll = () => cache.fetch(keys, mget);
const blocks = async () => known() ?? (await readAll());
const truth = () => Promise.all(keys.map((key) => other.getBuffer(key)));
const put = (by: Allocator, ref: string, installed: number, place = origin) =>
  by.sites.put(makeSite({ ...place, ref, classes: [["M", 400, 200, 500, 20_000, installed]] }), 0);

describe("the cache of what the server tells the changes of", () => {
  it("reads a block once, an empty one too", async () => {
    await put(allocator, "a", 1);
    expect(known()).toBeUndefined();
    const read = await readAll();
    expect(known()).toEqual(read);
    expect(read).toEqual(await truth());
    expect(read.filter((bytes) => bytes === null).length).toBeGreaterThan(0);
  });

  it("never shows what this process has changed itself as it was before", async () => {
    for (let installed = 1; installed <= 50; installed += 1) {
      await put(allocator, "a", installed);
      expect(await blocks()).toEqual(await truth());
    }
  });

  it("hears of what others change", async () => {
    const random = createRandom(testSeed());
    for (let round = 0; round < 100; round += 1) {
      const [number, place] = [random.int(0, 3), random.pick(places)];
      // What is read at the same time as it changes must not be kept as it was.
      const change = put(elsewhere, `site-${places.indexOf(place)}-${number}`, random.int(1, 200), place);
      const [before] = await Promise.all([blocks(), change, blocks()]);
      expect(before).toBeDefined();
      const now = await truth();
      await expect.poll(blocks, { interval: 1 }).toEqual(now);
    }
  });

  it("forgets all when the server does", async () => {
    await put(allocator, "a", 1);
    await blocks();
    await Promise.all(keys.map((key) => other.del(key)));
    await expect.poll(blocks, { interval: 1 }).toEqual(keys.map(() => null));
  });

  it("is not relied on where no answer came for 800 ms, and reads then what there is", async () => {
    await put(allocator, "a", 1);
    await blocks();
    nowMs += 1_000_000;
    expect(cache.isReliable).toBe(false);
    expect(known()).toBeUndefined();
    expect(await readAll()).toEqual(await truth());
    await expect.poll(() => cache.isReliable).toBe(true);
    expect(known()).toEqual(await truth());
  });

  it.each([0, 1])("keeps nothing from before its connections were lost, whichever of the two it was (%i)", async (which) => {
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
  it("are one where they are under way at the same time", async () => {
    await put(allocator, "a", 1);
    const all = await Promise.all(Array.from({ length: 16 }, readAll));
    expect(keysRead.toSorted()).toEqual(keys.toSorted());
    for (const read of all) expect(read).toEqual(await truth());
    const some = await Promise.all([cache.fetch(keys.slice(3), mget), cache.fetch([...keys, ...keys], mget)]);
    expect(some).toEqual([(await truth()).slice(3), [...(await truth()), ...(await truth())]]);
    expect(keysRead).toHaveLength(keys.length);
  });

  it("are not shared with what was read before a change of this process' own", async () => {
    await put(allocator, "a", 1);
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
    await put(allocator, "a", 2);
    const now = await truth();
    expect(now).not.toEqual(before);
    expect((await cache.fetch([originKey], mget))[0]).toEqual(now[keys.indexOf(originKey)]);
    letGo();
    await slow;
    expect(await blocks()).toEqual(now);
  });

  it("never go back behind a change that was acknowledged before they began, however many are under way", async () => {
    let acknowledged = 0;
    let isDone = false;
    const read = async () => {
      while (!isDone) {
        const least = acknowledged;
        const [bytes] = await cache.fetch([originKey], mget);
        // What is known is there without waiting for anybody.
        await setImmediate();
        if (least > 0) expect(bytes?.[freeOffset]).toBeGreaterThanOrEqual(least);
      }
    };
    const reading = Promise.all(Array.from({ length: 16 }, read));
    for (let installed = 1; installed <= 200; installed++) {
      await put(allocator, "a", installed);
      acknowledged = installed;
    }
    isDone = true;
    await reading;
    // Each of the 200 was read at least by one and by far not by all.
    expect(keysRead.length).toBeLessThan(16 * 200);
  });

  it("fail together where the read fails, and are read anew by the next", async () => {
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

  it("takes out one key for one, and none that is asked for again and again", async () => {
    for (let number = 0; number < keysMax; number++) await fetchKeys([number]);
    expect(wanted.every(isKnown)).toBe(true);
    for (let number = keysMax; number < 10 * keysMax; number++) {
      await fetchKeys([number]);
      expect(wanted.every(isKnown)).toBe(true);
    }
    const kept = Array.from({ length: 10 * keysMax }, (_, number) => number).filter(isKnown);
    expect(kept).toHaveLength(keysMax);
  });

  it("takes the least wanted first where all are", async () => {
    for (let number = 0; number < keysMax; number++) await fetchKeys([number]);
    for (let number = 0; number < keysMax; number++) expect(isKnown(number)).toBe(true);
    await fetchKeys([keysMax]);
    const kept = Array.from({ length: keysMax + 1 }, (_, number) => number).filter(isKnown);
    expect(kept).toHaveLength(keysMax);
  });
});
