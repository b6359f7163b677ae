import { randomUUID } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { EventSchema, EventType, newEventId, parseSiteId, type Region } from "@petak/protocol";
import { createKeys, createSiteIds, type RedisConnection } from "@petak/redis";
import { makeSite, testStoreCode, useRedis } from "@petak/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { createRecords, type Records } from "../records.ts";
import type { AllowedVersion } from "./allowed-changes.ts";

const redis = useRedis();
let connection: RedisConnection;
let records: Records;
let siteId: string;
let region: Region;
let key: string;
let versionKey: string;

beforeEach(async () => {
  connection = await redis.connect();
  records = createRecords({ redis: connection, storeCode: testStoreCode, prefix: `${redis.keyPrefix}petak` });
  ({ siteId } = await records.sites.put(makeSite({ latitude: 1.3, longitude: 103.8 }), 0));
  region = parseSiteId(siteId)?.region ?? "";
  const { siteNumber } = createSiteIds(testStoreCode).require(siteId);
  const keys = createKeys(`${redis.keyPrefix}petak`);
  [key, versionKey] = [keys.siteAllowedChanges(region, siteNumber), keys.siteAllowedVersion(region, siteNumber)];
  return () => connection.disconnect();
});

const version = () => records.allowedChanges.version(siteId);
const since = async (known: AllowedVersion) => await records.allowedChanges.since(siteId, known, await version());

/** Makes a change that concerns no reservation. */
async function change(times = 1): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    const event = create(EventSchema, { eventId: newEventId(region), type: EventType.CREDENTIAL_REVOKED, siteId });
    const response = { participantId: "par_a", requestId: randomUUID(), fingerprint: Buffer.alloc(16, 1), bytes: new Uint8Array() };
    const revoked = { credentialHash: randomUUID(), nowMs: 1_790_000_000_000, keptMs: 3_600_000, keptMax: 1000 };
    await records.siteRevocations.add({ siteId, ...revoked, event, response });
  }
}

describe("what has changed since a version", () => {
  it("is nothing for the current one, and what the changes name for an earlier one", async () => {
    expect(await version()).toEqual({ number: 0, tag: 0 });
    await change();
    const first = await version();
    expect([first.number, first.tag > 0, await since(first)]).toEqual([1, true, { version: first, reservationIds: [], bundleIds: [] }]);
    await change(2);
    expect(await since(first)).toEqual({ version: await version(), reservationIds: [], bundleIds: [] });
    expect((await version()).number).toBe(3);
  });

  it("is everything after all PINs have ended", async () => {
    await change();
    const first = await version();
    await records.pinKeys.raise(siteId, "a cause");
    expect(await since(first)).toBeUndefined();
    const second = await version();
    await change();
    expect(await since(second)).toBeDefined();
  });

  it("is not known where a gateway of an earlier release has counted a change", async () => {
    await change();
    const first = await version();
    await redis.client.incr(versionKey);
    expect(await version()).toEqual({ number: 2, tag: 0 });
    expect(await since(first)).toBeUndefined();
    await change();
    expect(await since(first)).toBeUndefined();
    expect(await since({ number: 2, tag: 0 })).toBeUndefined();
    const third = await version();
    await change();
    expect(await since(third)).toBeDefined();
  });

  it("is not known in a store that was reset to an earlier copy, also when it has come to the same number again", async () => {
    await change();
    const [copy, copiedVersion] = [await redis.client.dumpBuffer(key), await redis.client.get(versionKey)];
    await change(2);
    const lost = await version();
    await redis.client.restore(key, 0, copy ?? "", "REPLACE");
    await redis.client.set(versionKey, copiedVersion ?? "");
    expect(await since(lost)).toBeUndefined();
    await change(2);
    expect((await version()).number).toBe(lost.number);
    expect(await version()).not.toEqual(lost);
    expect(await since(lost)).toBeUndefined();
    await change();
    expect(await since(lost)).toBeUndefined();
  });

  it("is known for a number of changes that is bounded, and for two days", async () => {
    await change();
    const first = await version();
    await change(60);
    expect(await since(first)).toBeDefined();
    await change(100);
    expect(await since(first)).toBeUndefined();
    const last = await version();
    expect(await redis.client.llen(key)).toBeLessThanOrEqual(96);
    const leftS = await redis.client.ttl(key);
    expect([leftS > 0, leftS <= 2 * 86_400]).toEqual([true, true]);
    await redis.client.del(key);
    expect([await version(), await since(last)]).toEqual([{ number: last.number, tag: 0 }, undefined]);
  });
});
