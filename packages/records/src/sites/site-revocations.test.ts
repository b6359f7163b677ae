import { randomUUID } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { EventSchema, EventType, newEventId, parseSiteId, type Region } from "@petak/protocol";
import type { RedisConnection } from "@petak/redis";
import { createKeys } from "@petak/redis";
import { Crash, dyingAt, makeSite, testStoreCode, useRedis } from "@petak/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { createRecords, type Records } from "../records.ts";
import type { SiteRevocation } from "./site-revocations.ts";

const redis = useRedis();
const nowMs = 1_790_000_000_000;
const keptMs = 9 * 3_600_000;
let connection: RedisConnection;
let records: Records;
let siteId: string;
let otherId: string;
let region: Region;

beforeEach(async () => {
  connection = await redis.connect();
  records = createRecords({ redis: connection, storeCode: testStoreCode, prefix: `${redis.keyPrefix}petak` });
  const put = async (ref: string) => (await records.sites.put(makeSite({ latitude: 1.3, longitude: 103.8, ref }), 0)).siteId;
  [siteId, otherId] = [await put("one"), await put("other")];
  region = parseSiteId(siteId)?.region ?? "";
  return () => connection.disconnect();
});

const hashOf = (number: number) => String(number).padStart(43, "h");

function revocation(number: number, more: Partial<SiteRevocation> = {}): SiteRevocation {
  const event = create(EventSchema, { eventId: newEventId(region), type: EventType.CREDENTIAL_REVOKED, siteId });
  const response = { participantId: "par_a", requestId: randomUUID(), fingerprint: Buffer.alloc(16, 1), bytes: new Uint8Array() };
  return { siteId, credentialHash: hashOf(number), nowMs, keptMs, keptMax: 3, event, response, ...more };
}

async function recorded(): Promise<string[]> {
  return (await records.events.readAfter(region, "0", 100)).map(({ event }) => event.eventId);
}

describe("a revoked credential for SERVICE", () => {
  it("is stored for its site only, with its event, and increments the version of the agent's data", async () => {
    const [one, two] = [revocation(1), revocation(2)];
    expect([await records.siteRevocations.add(one), await records.siteRevocations.add(two)]).toEqual(["done", "done"]);
    expect((await records.siteRevocations.at(siteId, nowMs)).sort()).toEqual([hashOf(1), hashOf(2)]);
    expect(await records.siteRevocations.at(otherId, nowMs)).toEqual([]);
    expect((await records.allowedChanges.version(siteId)).number).toBe(2);
    expect((await records.allowedChanges.version(otherId)).number).toBe(0);
    expect(await recorded()).toEqual([one.event.eventId, two.event.eventId]);
  });

  it("is stored and recorded once, whoever repeats it", async () => {
    const one = revocation(1);
    expect(await records.siteRevocations.add(one)).toBe("done");
    expect(await records.siteRevocations.add(one)).toBe("repeated");
    expect(await records.siteRevocations.add(revocation(1, { nowMs: nowMs + 1000 }))).toBe("done");
    expect(await recorded()).toEqual([one.event.eventId]);
    expect((await records.allowedChanges.version(siteId)).number).toBe(1);
    const other = { ...one, response: { ...one.response, fingerprint: Buffer.alloc(16, 2) } };
    await expect(records.siteRevocations.add(other)).rejects.toMatchObject({ reason: "REQUEST_ID_REUSED" });
  });

  it("is complete or missing wherever the gateway crashes, and a repeated request stores it once", async () => {
    for (const isDone of [false, true]) {
      const { connection: dying } = dyingAt(connection, { atCommand: 1, isDone });
      const mortal = createRecords({ redis: dying, storeCode: testStoreCode, prefix: `${redis.keyPrefix}petak` });
      const asked = revocation(isDone ? 2 : 1);
      await expect(mortal.siteRevocations.add(asked)).rejects.toThrow(Crash);
      expect(await records.siteRevocations.add(asked)).toBe(isDone ? "repeated" : "done");
    }
    expect(await recorded()).toHaveLength(2);
  });

  it("counts towards a maximum, and is deleted when the credential has expired", async () => {
    for (const number of [1, 2, 3]) await records.siteRevocations.add(revocation(number));
    expect(await records.siteRevocations.add(revocation(4))).toBe("full");
    expect(await recorded()).toHaveLength(3);
    expect(await records.siteRevocations.at(siteId, nowMs + keptMs - 1)).toHaveLength(3);
    expect(await records.siteRevocations.at(siteId, nowMs + keptMs)).toEqual([]);
    expect(await records.siteRevocations.add(revocation(4, { nowMs: nowMs + keptMs }))).toBe("done");
    expect(await records.siteRevocations.at(siteId, nowMs + keptMs)).toEqual([hashOf(4)]);
  });

  it("takes no memory after that", async () => {
    await records.siteRevocations.add(revocation(1));
    const key = createKeys(`${redis.keyPrefix}petak`).siteRevoked(region, parseSiteId(siteId)?.siteNumber ?? 0);
    expect(await connection.pttl(key)).toBeGreaterThan(0);
  });
});
