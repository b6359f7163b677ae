import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { EventSchema, KeySchema, Mode, ParticipantSchema, PublishableKeySchema, Role } from "@petak/protocol";
import { createKeys, createSiteIds, type RedisConnection } from "@petak/redis";
import { testStoreCode, useRedis } from "@petak/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { defaultQuotas, type Quotas } from "../quotas/quotas.ts";
import { createRecords } from "../records.ts";
import { reportHashes } from "../reservations/testing/report-hashes.ts";
import type { ListedKey } from "./key-list.ts";
import { createParticipantStore, type ParticipantStore, revokedKeptMs } from "./participant-store.ts";

const redis = useRedis();
const participantId = "par_0000000000000001";
const atMs = 1_795_576_959_000;
const dayMs = 86_400_000;
let connections: RedisConnection[];
/** The stores of two gateways, with small limits. */
let stores: ParticipantStore[];

const keys = () => createKeys(redis.keyPrefix);
const idOf = (number: number) => `key_test_${String(number).padStart(16, "0")}`;
const keyOf = (number: number, madeMs = atMs + number, changes: { siteId?: string; mode?: Mode } = {}) =>
  create(KeySchema, { keyId: idOf(number), participantId, mode: Mode.TEST, createdAt: timestampFromMs(madeMs), ...changes });

beforeEach(async () => {
  connections = [await redis.connect(), await redis.connect()];
  const quotas: Quotas = { ...defaultQuotas, participantsMax: 20, keysMax: 20, agentKeysMax: 3, publishableKeysMax: 2 };
  stores = connections.map((connection) => createParticipantStore(connection, keys(), quotas));
  return () => {
    for (const connection of connections) connection.disconnect();
  };
});

const [one, other] = [() => stores[0] as ParticipantStore, () => stores[1] as ParticipantStore];

async function allKeys(pageSize: number, nowMs = atMs): Promise<string[]> {
  const found: string[] = [];
  let next: ListedKey | undefined;
  do {
    const page = await one().keysOf(participantId, next, pageSize, nowMs);
    found.push(...page.keys.map(({ keyId }) => keyId), ...page.publishableKeys.map(({ publishableKey }) => publishableKey));
    next = page.next;
  } while (next !== undefined);
  return found;
}

describe("the limit of a participant's keys", () => {
  it("is not passed by gateways that register keys at the same time, and a repeated request adds nothing", async () => {
    const made = Array.from({ length: 60 }, (_, number) => keyOf(number));
    const add = async () => await Promise.allSettled(made.map((key, index) => (index % 2 === 0 ? one() : other()).addKey(key)));
    const outcomes = await add();
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(20);
    expect(outcomes.find(({ status }) => status === "rejected")).toMatchObject({
      reason: { reason: "QUOTA_EXHAUSTED", metadata: { quota: "keysMax", limit: "20", used: "20", subject: participantId } },
    });
    expect((await add()).map(({ status }) => status)).toEqual(outcomes.map(({ status }) => status));
    expect(await allKeys(7)).toHaveLength(20);
  });

  it("is that of one network and kind alone", async () => {
    for (let number = 0; number < 20; number++) await one().addKey(keyOf(number));
    await one().addKey(keyOf(20, atMs, { mode: Mode.LIVE }));
    for (const number of [30, 31, 32]) await one().addKey(keyOf(number, atMs, { siteId: "site_1" }));
    await expect(one().addKey(keyOf(33, atMs, { siteId: "site_1" }))).rejects.toMatchObject({ metadata: { quota: "agentKeysMax" } });
  });

  it("does not count revoked keys, of which the first to be revoked leave after a day once there are too many", async () => {
    const replace = async (number: number, nowMs: number) => {
      await one().addKey(keyOf(number, nowMs, { siteId: "site_1" }));
      await other().revokeKey(keyOf(number, nowMs, { siteId: "site_1" }), timestampFromMs(nowMs));
    };
    for (const number of [0, 1, 2]) await replace(number, atMs + number);
    await expect(replace(3, atMs + dayMs)).rejects.toMatchObject({ metadata: { used: "3", limit: "3" } });
    await replace(3, atMs + 2 * dayMs);
    expect(await one().findKey(idOf(0))).toBeUndefined();
    expect(await one().findKey(idOf(1))).toMatchObject({ revokedAt: timestampFromMs(atMs + 1) });
    expect(await allKeys(10)).toEqual([1, 2, 3].map(idOf));
  });
});

describe("a revoked key", () => {
  it("ends by itself, and leaves the list", async () => {
    await one().addKey(keyOf(1));
    await one().revokeKey(keyOf(1), timestampFromMs(atMs));
    const leftMs = await redis.client.pttl(keys().key(idOf(1)));
    expect(leftMs).toBeGreaterThan(revokedKeptMs - dayMs);
    expect(leftMs).toBeLessThanOrEqual(revokedKeptMs);
    await redis.client.del(keys().key(idOf(1)));
    expect(await allKeys(10, atMs + revokedKeptMs)).toEqual([]);
    expect(await redis.client.exists(keys().keysOf("own", "test", participantId))).toBe(0);
  });

  it("of an agent takes its watermark with it, whatever reports with it are still under way", async () => {
    const { region, siteNumber } = { region: "83652b", siteNumber: 1 };
    const siteId = createSiteIds(testStoreCode).format(region, siteNumber);
    const { reservations: reports, refusalCounts } = createRecords({
      redis: connections[0] as RedisConnection,
      prefix: redis.keyPrefix,
      storeCode: testStoreCode,
    });
    for (const [number, reported] of [
      [1, 2],
      [2, 0],
    ] as const) {
      const report = (sequence: number) =>
        reports.record(region, { siteId, keyId: idOf(number), sequence, ...reportHashes(sequence) }, create(EventSchema));
      await one().addKey(keyOf(number, atMs, { siteId }));
      for (let sequence = 1; sequence <= reported; sequence++) await report(sequence);
      await one().revokeKey(keyOf(number, atMs, { siteId }), timestampFromMs(atMs));
      expect(await report(reported + 1)).toEqual({ tag: "fenced", watermark: reported });
      const refusal = { keyId: idOf(number), sequence: reported + 1, isOnlyCounted: true, ...reportHashes(reported + 1) };
      const counted = await refusalCounts.change({ siteId, before: undefined, after: undefined, report: refusal });
      expect(counted).toEqual({ tag: "fenced", watermark: reported });
      const leftMs = await redis.client.pttl(keys().agentWatermark(region, siteNumber, idOf(number)));
      expect(leftMs).toBeGreaterThan(dayMs);
      expect(leftMs).toBeLessThan(2 * dayMs);
    }
  });

  it("of an administrator stays, because its key file would register it again", async () => {
    const createdAt = timestampFromMs(atMs);
    await one().add(create(ParticipantSchema, { participantId, displayName: "Admin", roles: [Role.ADMIN], createdAt }));
    await one().addKey(keyOf(1));
    await one().revokeKey(keyOf(1), timestampFromMs(atMs));
    expect(await redis.client.pttl(keys().key(idOf(1)))).toBe(-1);
    await one().addKey(keyOf(2, atMs + 2 * revokedKeptMs));
    expect(await one().addKey(keyOf(1, atMs + 2 * revokedKeptMs))).toMatchObject({ revokedAt: timestampFromMs(atMs) });
  });
});

describe("the pages of a participant's keys", () => {
  it("have each key once, those in force first, whatever the size of a page and however many were made at once", async () => {
    const made = Array.from({ length: 12 }, (_, number) => keyOf(number, atMs + Math.floor(number / 6)));
    for (const key of made) await one().addKey(key);
    await one().addPublishableKey(create(PublishableKeySchema, { publishableKey: "pk_test_1", participantId, mode: Mode.TEST }));
    await one().revokeKey(keyOf(11), timestampFromMs(atMs + 50));
    const expected = [...[10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 11].map(idOf), "pk_test_1"];
    for (const pageSize of [1, 2, 5, 12, 13, 100]) expect(await allKeys(pageSize), String(pageSize)).toEqual(expected);
  });
});

describe("the limit of participants", () => {
  it("is not passed by gateways that create participants at the same time", async () => {
    const make = (number: number) => create(ParticipantSchema, { participantId: `par_${String(number).padStart(16, "0")}` });
    const outcomes = await Promise.allSettled(Array.from({ length: 50 }, (_, number) => (number % 2 ? one() : other()).add(make(number))));
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(20);
    expect(outcomes.find(({ status }) => status === "rejected")).toMatchObject({ reason: { metadata: { subject: "gateway" } } });
    const page = await one().list("", 15);
    expect([page.participants.length, (await one().list(page.next ?? "", 15)).participants.length]).toEqual([15, 5]);
  });
});
