import { PassedOverReason } from "@petak/protocol";
import { request, resolveSite } from "@petak/records/testing";
import { createSearchableRecords, type SearchableRecords } from "@petak/records/testing/candidates";
import { duplicateConnection, type RedisConnection } from "@petak/redis";
import { makeSite, testStoreCode, useRedis } from "@petak/testkit";
import type { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { NearestQuery } from "../query/query.ts";
import { plainQuery } from "../testing/plain-query.ts";

const redis = useRedis();
const onError = () => undefined;
const origin = { latitude: 1.3, longitude: 103.8 };
/** Some 300 km from the origin, in another region: a search from there has to check which regions have fitting size classes. */
const farAway = { latitude: 3.5, longitude: 102 };
/** Does not fit the places of test sites with default measures. */
const largeParcel = { widthMm: 300, heightMm: 600, depthMm: 300, massG: 1000 };

let writer: RedisConnection;
let other: RedisConnection;
/** The records and a search with a cache; created by {@link ready}. */
let cached: SearchableRecords;
/** Another gateway, whose writes reach the first one's cache by invalidations only. */
let elsewhere: SearchableRecords;
/** Whether the invalidation of a key is still delayed. */
let isLate: (key: string) => boolean;
/** Runs before blocks are read. */
let beforeReadingBlocks: () => Promise<unknown>;

/** Creates a connection whose invalidations a test can delay, as happens in a process under load. */
function connect(server: Redis): Redis {
  const connection = duplicateConnection(server, { onError });
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
  elsewhere = createSearchableRecords({ redis: other, storeCode: testStoreCode, prefix: `${redis.keyPrefix}petak` });
});
afterEach(() => {
  cached.stop();
  for (const connection of [writer, other]) connection.disconnect();
});

type Facts = Partial<Parameters<typeof makeSite>[0]> & { isAlwaysOpen?: boolean };

/** Puts a site at the origin that is either always or never open. Returns its id. */
async function put(by: SearchableRecords, ref: string, { isAlwaysOpen = true, ...facts }: Facts = {}): Promise<string> {
  return (await by.sites.put(makeSite({ ...origin, ref, ...facts }, { openingHours: { alwaysOpen: isAlwaysOpen } }), 0)).siteId;
}

const small: Facts = { classes: [["S", 100, 100, 100, 20_000, 4]] };
const large: Facts = { classes: [["L", 400, 800, 500, 20_000, 4]] };
const found = async (query: NearestQuery) => (await cached.nearest(query)).map(({ siteId }) => siteId);

/** Creates the search with a cache that contains the current directory and no block. */
async function ready(): Promise<void> {
  cached = createSearchableRecords({
    redis: writer,
    storeCode: testStoreCode,
    prefix: `${redis.keyPrefix}petak`,
    indexCache: { connect, onError },
  });
  expect(await cached.ready(60_000)).toBe(true);
}

describe("while the invalidations of a change are delayed", () => {
  it("a block is evaluated with the size profiles that it refers to", async () => {
    const first = await put(elsewhere, "first");
    await ready();
    isLate = () => true;
    const second = await put(elsewhere, "second", large);
    expect(await found(plainQuery(origin))).toEqual([first, second]);
    expect(await found(plainQuery(origin, { parcel: largeParcel }))).toEqual([second]);
  });

  it("sites are counted with the size profiles that their block refers to", async () => {
    await put(elsewhere, "first");
    await ready();
    isLate = () => true;
    await put(elsewhere, "second", small);
    const query = plainQuery(origin, { radiusM: 1000, limit: 2 });
    const passedOver = await cached.passedOver(query, []);
    expect(passedOver.counts).toEqual(new Map([[PassedOverReason.DOES_NOT_FIT, 1]]));
  });

  it("concurrent searches that read the lists agree", async () => {
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

  it("a block is evaluated with the opening hours that it refers to", async () => {
    const first = await put(elsewhere, "first");
    await ready();
    isLate = () => true;
    await put(elsewhere, "second", { isAlwaysOpen: false });
    const needs = { refrigerated: false, minCentreHeightMm: 0, maxCentreHeightMm: 0, stepFree: false, cardPayment: false };
    const openAt = { ...needs, openAtMs: 1_800_000_000_000, openWithin: undefined };
    expect(await found(plainQuery(origin, { needs: openAt }))).toEqual([first]);
  });

  it("no region is skipped although a fitting size profile of it is known", async () => {
    await put(elsewhere, "first");
    await ready();
    isLate = () => true;
    const second = await put(elsewhere, "second", large);
    const asked = plainQuery(farAway, { parcel: largeParcel });
    expect(await found(plainQuery(origin, { parcel: largeParcel }))).toEqual([second]);
    expect(await found(asked)).toEqual([second]);
    // A search there for something else does not change that.
    await found(plainQuery(farAway));
    expect(await found(asked)).toEqual([second]);
  });

  it("no region is skipped by size profiles older than its bitmap of occupied cells", async () => {
    await put(elsewhere, "first");
    await ready();
    isLate = (key) => !key.endsWith(":occupied-cells");
    const second = await put(elsewhere, "second", { ...large, latitude: 1.35 });
    await expect.poll(() => found(plainQuery(farAway, { parcel: largeParcel }))).toEqual([second]);
  });
});

describe("a refused hold", () => {
  it("invalidates its outdated cached block", async () => {
    const first = await put(elsewhere, "first", { classes: [["M", 400, 200, 500, 20_000, 1]] });
    const second = await put(elsewhere, "second");
    await ready();
    isLate = () => true;
    const candidates = (await cached.nearest(plainQuery(origin, { limit: 1 }))).map((candidate) => ({
      ...candidate,
      operatorId: "",
      classes: [{ index: 0, sizeClassId: "M" }],
    }));
    const take = (by: SearchableRecords, number: number) =>
      by.holds.take(request(origin, number), candidates, (siteId) => resolveSite(by, siteId));
    expect(await take(elsewhere, 1)).toMatchObject({ tag: "held", reservation: { siteId: first } });
    expect(await take(cached, 2)).toEqual({ tag: "none" });
    expect(await found(plainQuery(origin))).toEqual([second]);
  });
});

describe("an operator whose first site is added during a search", () => {
  const refused = "par_0000000000000077";

  it("is not offered if it is excluded", async () => {
    const first = await put(elsewhere, "first");
    await ready();
    beforeReadingBlocks = () => put(elsewhere, "second", { operatorId: refused });
    expect(await found(plainQuery(origin, { excludedOperatorIds: [refused] }))).toEqual([first]);
  });

  it("is counted as excluded", async () => {
    await put(elsewhere, "first");
    await ready();
    beforeReadingBlocks = () => put(elsewhere, "second", { operatorId: refused, ...small });
    const query = plainQuery(origin, { excludedOperatorIds: [refused], radiusM: 1000 });
    const { counts } = await cached.passedOver(query, []);
    expect(counts).toEqual(new Map([[PassedOverReason.OPERATOR, 1]]));
  });
});

describe("lists that are forgotten during a read", () => {
  it("are read again", async () => {
    const first = await put(elsewhere, "first");
    await ready();
    const second = await put(elsewhere, "second", { ...large, isAlwaysOpen: false });
    const read = writer.zrangeBuffer.bind(writer) as unknown as (...range: string[]) => Promise<Buffer[]>;
    let reads = 0;
    Object.assign(writer, {
      zrangeBuffer: async (...range: string[]) => {
        const list = await read(...range);
        // A cluster connection emits ready again when one master is reconnected, even during reads from others.
        if (reads++ === 0) writer.emit("ready");
        return list;
      },
    });
    expect(await found(plainQuery(origin))).toEqual([first, second]);
    expect(reads).toBeGreaterThan(2);
  });
});
