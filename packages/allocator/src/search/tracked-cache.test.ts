import { createRandom, makeSite, testSeed, useRedis } from "@petak/testkit";
import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Allocator, createAllocator } from "../allocator.ts";
import type { Position } from "../geo/position.ts";
import { indexCellOf } from "../geo/region.ts";
import { createKeys } from "../keys.ts";
import { neighbourhoodOf } from "./neighbourhood.ts";
import { createTrackedCache, type TrackedCache } from "./tracked-cache.ts";

const origin: Position = { latitude: 1.3, longitude: 103.8 };
const cells = neighbourhoodOf(indexCellOf(origin)).near;

const redis = useRedis();
let keys: string[];
let writer: Redis;
let other: Redis;
let made: Redis[];
let allocator: Allocator;
let cache: TrackedCache;
let nowMs: number;

beforeEach(async () => {
  const { block } = createKeys(`${redis.keyPrefix}petak`);
  keys = cells.map(({ region, cell }) => block(region, cell));
  writer = new Redis(redis.options);
  other = new Redis(redis.options);
  made = [];
  nowMs = 0;
  allocator = createAllocator({ redis: writer, prefix: `${redis.keyPrefix}petak` });
  cache = createTrackedCache({
    writer,
    connect() {
      const connection = new Redis({ ...redis.options, lazyConnect: true });
      connection.on("error", () => {});
      made.push(connection);
      return connection;
    },
    onError: () => {},
    now: () => nowMs,
  });
  await expect.poll(() => cache.isReliable).toBe(true);
});
afterEach(() => {
  cache.stop();
  for (const connection of [writer, other]) connection.disconnect();
});

/** What is known without asking; undefined where it is not relied on, or not all of it is known. */
function known(): unknown[] | undefined {
  const values = cache.isReliable ? keys.map((key) => cache.peek(key)) : [undefined];
  return values.includes(undefined) ? undefined : values;
}
const readAll = () => cache.fetch(keys, (connection, missing) => connection.mgetBuffer([...missing]));
const blocks = async () => known() ?? (await readAll());
const truth = () => other.mgetBuffer(keys);
const put = (by: Allocator, ref: string, installed: number) =>
  by.sites.put(makeSite({ ...origin, ref, classes: [["M", 400, 200, 500, 20_000, installed]] }), 0);

describe("the cache of what the server tells the changes of", () => {
  it("reads a block once, an empty one too", async () => {
    await put(allocator, "a", 1);
    expect(known()).toBeUndefined();
    const read = await readAll();
    expect(known()).toEqual(read);
    expect(read).toEqual(await truth());
    expect(read.filter((block) => block === null).length).toBeGreaterThan(0);
  });

  it("never shows what this process has changed itself as it was before", async () => {
    for (let installed = 1; installed <= 50; installed += 1) {
      await put(allocator, "a", installed);
      expect(await blocks()).toEqual(await truth());
    }
  });

  it("hears of what others change", async () => {
    const random = createRandom(testSeed());
    const elsewhere = createAllocator({ redis: other, prefix: `${redis.keyPrefix}petak` });
    for (let round = 0; round < 100; round += 1) {
      // What is read at the same time as it changes must not be kept as it was.
      const [before] = await Promise.all([blocks(), put(elsewhere, `site-${random.int(0, 3)}`, random.int(1, 200)), blocks()]);
      expect(before).toBeDefined();
      const now = await truth();
      await expect.poll(blocks, { interval: 1 }).toEqual(now);
    }
  });

  it("forgets all when the server does", async () => {
    await put(allocator, "a", 1);
    await blocks();
    const found = await other.keys(`${redis.keyPrefix}*`);
    await other.del(found);
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

  it.each([0, 1])("keeps nothing from before a connection was lost, whichever of the two it was (%i)", async (which) => {
    const elsewhere = createAllocator({ redis: other, prefix: `${redis.keyPrefix}petak` });
    await put(elsewhere, "a", 1);
    await blocks();
    const lost = made[which] as Redis;
    const closed = new Promise((resolve) => lost.once("close", resolve));
    lost.disconnect(true);
    await closed;
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
