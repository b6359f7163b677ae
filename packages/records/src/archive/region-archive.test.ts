import { create } from "@bufbuild/protobuf";
import { ReservationSchema, ReservationState } from "@petak/protocol";
import type { RedisConnection } from "@petak/redis";
import { createKeys, type Keys } from "@petak/redis";
import { useRedis } from "@petak/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ReservationWithChain } from "../encoding/reservation-record.ts";
import { encodeRecord } from "../encoding/reservation-record.ts";
import { testIds, testSiteIds } from "../testing/test-ids.ts";
import { createRegionArchive, type RegionArchive } from "./region-archive.ts";

const redis = useRedis();
const region = "83652b";
let connection: RedisConnection;
let archive: RegionArchive;
let keys: Keys;

beforeEach(async () => {
  connection = await redis.connect();
  keys = createKeys(`${redis.keyPrefix}petak`);
  archive = createRegionArchive(connection, keys, testIds(connection, keys));
});
afterEach(() => connection.disconnect());

/** Stores a reservation with a chain of entries. */
async function stored(handle: string, chain: readonly string[], revision = chain.length): Promise<ReservationWithChain> {
  const reservation = create(ReservationSchema, {
    reservationId: `res_${region}_${handle}`,
    siteId: testSiteIds.format(region, 1),
    participantId: "par_0000000000000002",
    state: ReservationState.COLLECTED,
    revision,
  });
  await redis.client.set(keys.reservation(region, handle), await encodeRecord({ reservation, chain }, testIds(redis.client, keys)));
  return { reservation, chain };
}

async function record(...entries: string[]): Promise<void> {
  for (const entry of entries) await redis.client.xadd(keys.events(region), entry, "event", "x");
}

const handles = ["000000000000000a", "000000000000000b", "000000000000000c", "000000000000000d"] as const;
const isThere = async (handle: string) => (await redis.client.exists(keys.reservation(region, handle))) === 1;
const inStream = async () => (await redis.client.xrange(keys.events(region), "-", "+")).map(([entry]) => entry);

describe("the region archive", () => {
  it("deletes atomically: events, and the reservations that equal the archived ones and have no deadline", async () => {
    await record("5-0", "5-1", "7-0", "9-0");
    const same = await stored(handles[0], ["5-0", "5-1"]);
    const grown = await stored(handles[1], ["5-0"]);
    const changed = await stored(handles[2], ["7-0"]);
    const waiting = await stored(handles[3], ["7-0"]);
    await stored(handles[1], ["5-0", "9-0"], 1);
    await stored(handles[2], ["7-0"], 2);
    await redis.client.zadd(keys.deadlines(region), 1000, handles[3]);
    const member = { entries: ["5-0", "5-1", "7-0"], reservations: [same, grown, changed, waiting] };
    expect(await archive.deleteArchived(region, 8, member)).toBe(1);
    expect(await Promise.all(handles.map(isThere))).toEqual([false, true, true, true]);
    expect(await inStream()).toEqual(["9-0"]);
    expect(await archive.archivedUntil(region)).toBe(8);
    // Repeated after a crash, it changes nothing, and an earlier day does not set the time back.
    expect(await archive.deleteArchived(region, 7, member)).toBe(0);
    expect([await inStream(), await archive.archivedUntil(region)]).toEqual([["9-0"], 8]);
  });

  it.each([
    ["one event more", ["5-0"], "5-0"],
    ["another first one", ["4-0", "5-1"], "5-1"],
    ["one less", ["5-0", "5-1", "6-0"], "6-0"],
  ])("stays where the stream begins with other events than the archive has: %s", async (_, entries) => {
    await record("5-0", "5-1", "7-0");
    const ended = await stored(handles[0], ["5-0"]);
    await record("8-0");
    const claimed = entries.length === 1 ? { entries: ["5-1"], reservations: [ended] } : { entries, reservations: [ended] };
    expect(await archive.deleteArchived(region, 8, claimed)).toBe(false);
    expect(await inStream()).toEqual(["5-0", "5-1", "7-0", "8-0"]);
    expect([await isThere(handles[0]), await archive.archivedUntil(region)]).toEqual([true, 0]);
  });

  it("closes a day so that nothing can be recorded in it, whatever the server's clock says", async () => {
    await archive.closeUntil(region, 1000);
    expect(await redis.client.exists(keys.events(region))).toBe(0);
    await record("5-0");
    const farMs = Date.now() + 3_600_000;
    await archive.closeUntil(region, farMs);
    await archive.closeUntil(region, 1000);
    expect(await redis.client.xadd(keys.events(region), "*", "event", "x")).toBe(`${farMs}-1`);
  });

  it("restores a reservation with its chain and a deadline, and releases it with the data for its site's agent", async () => {
    const ended = await stored(handles[0], ["5-0", "5-1"]);
    await redis.client.del(keys.reservation(region, handles[0]));
    await archive.restore(ended, 77);
    expect(await redis.client.zscore(keys.deadlines(region), handles[0])).toBe("77");
    expect(await archive.endingWith(region, [{ handle: handles[0], entry: "5-1" }])).toMatchObject([{ chain: ["5-0", "5-1"] }]);
    await redis.client.sadd(keys.siteAllowed(region, 1), handles[0]);
    await redis.client.hset(keys.sitePins(region, 1), handles[0], "pin");
    expect(await archive.release({ ...ended, chain: ["5-0"] })).toBe(false);
    expect(await archive.release(ended)).toBe(true);
    const left = await Promise.all([
      isThere(handles[0]),
      redis.client.zscore(keys.deadlines(region), handles[0]),
      redis.client.smembers(keys.siteAllowed(region, 1)),
      redis.client.hlen(keys.sitePins(region, 1)),
    ]);
    expect(left).toEqual([false, null, [], 0]);
    expect(await redis.client.get(keys.siteAllowedVersion(region, 1))).toBe("1");
    expect(await redis.client.lindex(keys.siteAllowedChanges(region, 1), 0)).toContain(handles[0]);
    // Restoring does not overwrite a reservation that has changed since.
    await archive.restore(ended, 77);
    const changed = await stored(handles[0], ["5-0", "5-1", "9-0"]);
    await archive.restore(ended, 99);
    expect(await archive.endingWith(region, [{ handle: handles[0], entry: "9-0" }])).toMatchObject([{ chain: changed.chain }]);
  });

  it("has the first archive id that was claimed", async () => {
    expect(await archive.identity()).toBeUndefined();
    expect(await Promise.all([archive.claimIdentity("a"), archive.claimIdentity("b")])).toEqual(["a", "a"]);
    expect(await archive.identity()).toBe("a");
  });

  it("returns the server's time", async () => {
    expect(Math.abs((await archive.serverTimeMs()) - Date.now())).toBeLessThan(60_000);
  });
});
