import { once } from "node:events";
import { createKeys, type RedisConnection } from "@petak/redis";
import { useRedis } from "@petak/testkit";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { DataVersionError } from "./data-version-error.ts";
import type { DataVersions } from "./data-versions.ts";
import { type EnterStoreOptions, enterStore, type StoreEntry } from "./enter-store.ts";

const redis = useRedis();
const first = { oldestRead: 1, newestRead: 1, written: 1 };
const second = { oldestRead: 1, newestRead: 2, written: 1 };
const third = { oldestRead: 1, newestRead: 2, written: 2 };
/** As the third, of a release that reads a later version as well. */
const thirdWithNext = { oldestRead: 1, newestRead: 3, written: 2 };
const fourth = { oldestRead: 2, newestRead: 2, written: 2 };
let connection: RedisConnection;
const keys = () => createKeys(redis.keyPrefix);
const stated = () => redis.client.hmget(keys().dataVersion(), "oldest", "newest");

beforeEach(async () => {
  connection = await redis.connect();
  return () => connection.disconnect();
});

async function enter(versions: DataVersions, options: Partial<EnterStoreOptions> = {}): Promise<StoreEntry> {
  const onRefused = (error: Error) => {
    throw error;
  };
  const entry = await enterStore({ redis: connection, keys: keys(), versions, onError: () => undefined, onRefused, ...options });
  onTestFinished(() => entry.leave());
  return entry;
}

/** Enters and leaves. */
async function pass(versions: DataVersions): Promise<void> {
  await (await enter(versions)).leave();
}

describe("a store", () => {
  it("without data gets the version that its first gateway writes", async () => {
    await pass(third);
    expect(await stated()).toEqual(["2", "2"]);
    await pass(fourth);
  });

  it("with data that states no version has version 1, which stays its oldest", async () => {
    await redis.client.sadd(keys().participants(), "par_a");
    await expect(enter(fourth)).rejects.toThrow(/^The data in Redis has version 1 and this release reads only version 2: start an earlier/);
    await pass(third);
    expect(await stated()).toEqual(["1", "2"]);
    await expect(enter(fourth)).rejects.toThrow(/^The data in Redis has version 1/);
    await expect(enter(first)).rejects.toThrow(/^The data in Redis has version 2 and this release reads only version 1: start a later/);
  });

  it("that has lost its version is refused, and gets it back from a gateway that runs", async () => {
    await redis.client.set(keys().storeCode(), "k3v9c0x2md");
    await expect(enter(second)).rejects.toThrow(
      `The data in Redis states no version, which its key ${keys().dataVersion()} had: restore the data from a backup, set 'oldest' and 'newest' in that hash as docs/upgrading.md says, or give this one an empty Redis.`,
    );
    expect(await redis.client.exists(keys().dataVersion())).toBe(0);
    await redis.client.hset(keys().dataVersion(), { oldest: 1, newest: 2 });
    await enter(thirdWithNext, { registeredMs: 100 });
    await redis.client.del(keys().dataVersion());
    await expect.poll(stated).toEqual(["1", "2"]);
  });

  it("has its version, and no other, from a gateway that died before it wrote anything else", async () => {
    const lost = await redis.connect();
    await enter(third, { redis: lost });
    lost.disconnect();
    await redis.client.del(keys().storeCode());
    expect(await stated()).toEqual(["2", "2"]);
    await enter(fourth);
    await expect(enter(first)).rejects.toThrow(/^The data in Redis has version 2/);
  });

  it("keeps its newest version when a release that writes an older one comes back", async () => {
    await pass(third);
    await pass(second);
    expect(await stated()).toEqual(["1", "2"]);
  });
});

describe("a gateway that enters a store", () => {
  it("shares it with the release before and the release after", async () => {
    await enter(first);
    const entry = await enter(second);
    expect(entry).toMatchObject({ oldest: 1, newest: 1 });
    await enter(first);
  });

  it("is refused while a gateway runs that could not read what it writes, and changes nothing", async () => {
    const old = await enter(first);
    await enter(second);
    await expect(enter(third)).rejects.toThrow(
      new DataVersionError(
        "A running gateway reads data only up to version 1 and this release writes version 2: stop that gateway first (one that was killed counts for 60 s), or start a release that writes version 1.",
      ),
    );
    expect(await stated()).toEqual(["1", "1"]);
    await old.leave();
    await enter(third);
    expect(await stated()).toEqual(["1", "2"]);
  });

  it("enters an empty store beside others that enter at once, unless one could not read what the other writes", async () => {
    await Promise.all([enter(second), enter(third), enter(second), enter(third)]);
    expect(await stated()).toEqual([expect.stringMatching(/^[12]$/), "2"]);
    await redis.client.del(keys().dataVersion(), keys().storeCode());
    const outcomes = await Promise.allSettled([enter(first), enter(fourth)]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  });

  it("waits for no gateway that was killed longer ago than it counts", async () => {
    const lost = await redis.connect();
    const errors: Error[] = [];
    await enter(first, { redis: lost, registeredMs: 300, onError: (error) => errors.push(error) });
    lost.disconnect();
    await expect.poll(() => enter(third).then(() => "entered")).toBe("entered");
    await expect.poll(() => errors.length).toBeGreaterThan(0);
  });

  it("is kept registered while it runs", async () => {
    const registeredMs = 600;
    await enter(first, { registeredMs });
    const registered = async () => {
      const [, entry = ""] = Object.entries(await redis.client.hgetall(keys().dataVersion())).find(([name]) => name.length === 16) ?? [];
      return Number(entry.split(" ")[1]);
    };
    const before = await registered();
    await expect.poll(registered).toBeGreaterThan(before + registeredMs);
  });

  it("is registered again as soon as it is connected again", async () => {
    const own = await redis.connect();
    await enter(first, { redis: own });
    await redis.client.del(keys().dataVersion());
    own.disconnect(true);
    await expect.poll(stated).toEqual(["1", "1"]);
    own.disconnect();
  });

  it("leaves other records alone that are behind the address when it is connected again", async () => {
    const own = await redis.connect();
    await enter(third, { redis: own });
    const others = { oldest: "1", newest: "1" };
    const { client } = redis;
    await client.multi().set(keys().storeCode(), "0000000000").del(keys().dataVersion()).hset(keys().dataVersion(), others).exec();
    own.disconnect(true);
    await once(own, "ready");
    // As many turns as a renewal takes.
    for (let turn = 0; turn < 5; turn++) await own.ping();
    expect(await client.hgetall(keys().dataVersion())).toEqual(others);
    own.disconnect();
  });

  it("is told once when the version was raised meanwhile beyond what it reads", async () => {
    const refusals: DataVersionError[] = [];
    await enter(first, { registeredMs: 60, onRefused: (error) => refusals.push(error) });
    await redis.client.hset(keys().dataVersion(), "newest", 2);
    await expect.poll(() => refusals.length).toBe(1);
    expect(refusals[0]?.message).toMatch(/^The data in Redis has version 2/);
  });
});
