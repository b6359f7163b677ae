import { PassedOverReason } from "@petak/protocol";
import { type Allocator, createAllocator } from "@petak/records";
import { request, resolveSite } from "@petak/records/testing";
import { connectLike, type RedisConnection } from "@petak/redis";
import { makeSite, testStoreCode, useRedis } from "@petak/testkit";
import type { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { NearestQuery } from "../query/query.ts";
import { plainQuery } from "../testing/plain-query.ts";

const redis = useRedis();
const onError = () => undefined;
const origin = { latitude: 1.3, longitude: 103.8 };
/** Some 300 km from the origin, in another region: a search from there asks which regions could have what fits. */
const farAway = { latitude: 3.5, longitude: 102 };
/** Fits no place of the sites that say nothing else. */
const largeParcel = { widthMm: 300, heightMm: 600, depthMm: 300, massG: 1000 };

let writer: RedisConnection;
let other: RedisConnection;
/** Has the index in memory. Made by {@link ready}. */
let cached: Allocator;
/** Another gateway, of whose writes the first knows by what the server says of them. */
let elsewhere: Allocator;
/** Whether the server's invalidation of a key has not arrived yet. */
let isLate: (key: string) => boolean;
/** Runs before blocks are read. */
let beforeReadingBlocks: () => Promise<unknown>;

/** Makes a connection over which invalidations arrive late where a test says so, as they do in a process under load. */
function connect(server: Redis): Redis {
  const connection = connectLike(server, { onError });
  const emit = connection.emit.bind(connection);
  connection.emit = (event: string | symbol, ...args: unknown[]) => {
    const [, keys] = args as [Buffer, Buffer[] | null];
    if (event === "messageBuffer" && keys?.some((key) => isLate(key.toString())) === true) return true;
    return emit(event, ...args);
  };
  const read = connection.mgetBuffer.bind(connection) as (keys: string[]) => Promise<(Buffer | null)[]>;
  Object.assign(connection, {
    mgetBuffer: async (keys: string[]) => {
      await beforeReadingBlocks();
      return await read(keys);
    },
  });
  return connection;
}

beforeEach(async () => {
  isLate = () => false;
  beforeReadingBlocks = async () => undefined;
  [writer, other] = [await redis.connect(), await redis.connect()];
  elsewhere = createAllocator({ redis: other, storeCode: testStoreCode, prefix: `${redis.keyPrefix}petak` });
});
afterEach(() => {
  cached.stop();
  for (const connection of [writer, other]) connection.disconnect();
});

type Facts = Partial<Parameters<typeof makeSite>[0]> & { isAlwaysOpen?: boolean };

/** Puts a site at the origin, which is always open or never. Gives its id. */
async function put(by: Allocator, ref: string, { isAlwaysOpen = true, ...facts }: Facts = {}): Promise<string> {
  return (await by.sites.put(makeSite({ ...origin, ref, ...facts }, { openingHours: { alwaysOpen: isAlwaysOpen } }), 0)).siteId;
}

const small: Facts = { classes: [["S", 100, 100, 100, 20_000, 4]] };
const large: Facts = { classes: [["L", 400, 800, 500, 20_000, 4]] };
const found = async (query: NearestQuery) => (await cached.nearest(query)).map(({ siteId }) => siteId);

/** Makes the allocator with the index in memory: it has the directory as it is now, and no block. */
async function ready(): Promise<void> {
  cached = createAllocator({
    redis: writer,
    storeCode: testStoreCode,
    prefix: `${redis.keyPrefix}petak`,
    indexCache: { connect, onError },
  });
  expect(await cached.ready(10_000)).toBe(true);
}

describe("while the invalidations of a change are on their way", () => {
  it("a block is judged by the size profiles that it names", async () => {
    const first = await put(elsewhere, "first");
    await ready();
    isLate = () => true;
    const second = await put(elsewhere, "second", large);
    expect(await found(plainQuery(origin))).toEqual([first, second]);
    expect(await found(plainQuery(origin, { parcel: largeParcel }))).toEqual([second]);
  });

  it("sites are counted by the size profiles that their block names", async () => {
    await put(elsewhere, "first");
    await ready();
    isLate = () => true;
    await put(elsewhere, "second", small);
    const query = plainQuery(origin, { radiusM: 1000, limit: 2 });
    const passedOver = await cached.passedOver(query, []);
    expect(passedOver.counts).toEqual(new Map([[PassedOverReason.DOES_NOT_FIT, 1]]));
  });

  it("searches that read the lists at the same time agree on them", async () => {
    for (const latitude of [1.3, 1.35]) await put(elsewhere, `${latitude}`, { latitude });
    await ready();
    isLate = () => true;
    const asked = plainQuery(origin, { parcel: largeParcel, limit: 1 });
    const second = await put(elsewhere, "second", large);
    expect(await Promise.all(Array.from({ length: 8 }, () => found(asked)))).toEqual(Array.from({ length: 8 }, () => [second]));
    const third = await put(elsewhere, "third", { classes: [["XL", 500, 800, 500, 20_000, 4]], latitude: 1.35 });
    const around = plainQuery({ latitude: 1.35, longitude: 103.8 }, { parcel: largeParcel, limit: 1 });
    expect(await Promise.all(Array.from({ length: 8 }, () => found(around)))).toEqual(Array.from({ length: 8 }, () => [third]));
  });

  it("a block is judged by the opening hours that it names", async () => {
    const first = await put(elsewhere, "first");
    await ready();
    isLate = () => true;
    await put(elsewhere, "second", { isAlwaysOpen: false });
    const needs = { refrigerated: false, minCentreHeightMm: 0, maxCentreHeightMm: 0, stepFree: false, cardPayment: false };
    const openAt = { ...needs, openAtMs: 1_800_000_000_000, openWithin: undefined };
    expect(await found(plainQuery(origin, { needs: openAt }))).toEqual([first]);
  });

  it("no region is passed over for lack of a size profile that was seen in it", async () => {
    await put(elsewhere, "first");
    await ready();
    isLate = () => true;
    const second = await put(elsewhere, "second", large);
    const asked = plainQuery(farAway, { parcel: largeParcel });
    expect(await found(plainQuery(origin, { parcel: largeParcel }))).toEqual([second]);
    expect(await found(asked)).toEqual([second]);
    // Whoever looks there for something else changes nothing of that.
    await found(plainQuery(farAway));
    expect(await found(asked)).toEqual([second]);
  });

  it("no region is passed over by size profiles that are older than what is known of its cells", async () => {
    await put(elsewhere, "first");
    await ready();
    isLate = (key) => !key.endsWith(":occupied-cells");
    const second = await put(elsewhere, "second", { ...large, latitude: 1.35 });
    await expect.poll(() => found(plainQuery(farAway, { parcel: largeParcel })), { timeout: 10_000 }).toEqual([second]);
  });
});

describe("a refused hold", () => {
  it("shows that its block in memory is outdated", async () => {
    const first = await put(elsewhere, "first", { classes: [["M", 400, 200, 500, 20_000, 1]] });
    const second = await put(elsewhere, "second");
    await ready();
    isLate = () => true;
    const candidates = (await cached.nearest(plainQuery(origin, { limit: 1 }))).map((candidate) => ({
      ...candidate,
      operatorId: "",
      classes: [{ index: 0, sizeClassId: "M" }],
    }));
    const take = (by: Allocator, number: number) => by.holds.take(request(origin, number), candidates, (siteId) => resolveSite(by, siteId));
    expect(await take(elsewhere, 1)).toMatchObject({ tag: "held", reservation: { siteId: first } });
    expect(await take(cached, 2)).toEqual({ tag: "none" });
    expect(await found(plainQuery(origin))).toEqual([second]);
  });
});

describe("an operator whose first site is filed while a search is under way", () => {
  const refused = "par_0000000000000077";

  it("is not offered where it is refused", async () => {
    const first = await put(elsewhere, "first");
    await ready();
    beforeReadingBlocks = () => put(elsewhere, "second", { operatorId: refused });
    expect(await found(plainQuery(origin, { excludedOperatorIds: [refused] }))).toEqual([first]);
  });

  it("is counted among the refused", async () => {
    await put(elsewhere, "first");
    await ready();
    beforeReadingBlocks = () => put(elsewhere, "second", { operatorId: refused, ...small });
    const query = plainQuery(origin, { excludedOperatorIds: [refused], radiusM: 1000 });
    const { counts } = await cached.passedOver(query, []);
    expect(counts).toEqual(new Map([[PassedOverReason.OPERATOR, 1]]));
  });
});

describe("lists that are forgotten while they are read", () => {
  it("are read once more", async () => {
    const first = await put(elsewhere, "first");
    await ready();
    const second = await put(elsewhere, "second", { ...large, isAlwaysOpen: false });
    const read = writer.lrangeBuffer.bind(writer) as (...range: [string, number, number]) => Promise<Buffer[]>;
    let reads = 0;
    Object.assign(writer, {
      lrangeBuffer: async (...range: [string, number, number]) => {
        const list = await read(...range);
        // A cluster's connection is ready once more when one of its masters is connected anew, whatever is read from the others.
        if (reads++ === 0) writer.emit("ready");
        return list;
      },
    });
    expect(await found(plainQuery(origin))).toEqual([first, second]);
    expect(reads).toBeGreaterThan(2);
  });
});
