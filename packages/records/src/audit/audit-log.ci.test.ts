import { create } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { AuditEntrySchema, AuditOutcome } from "@petak/protocol";
import { createKeys, type RedisConnection } from "@petak/redis";
import { useRedis } from "@petak/testkit";
import { beforeEach, expect, it } from "vitest";
import { type AuditBounds, type AuditLog, type AuditQuery, createAuditLog, defaultAuditBounds } from "./audit-log.ts";

const redis = useRedis();
const participantId = "par_0000000000000001";
const other = "par_0000000000000002";
let connection: RedisConnection;
let log: AuditLog;

const logWith = (bounds: Partial<AuditBounds>) =>
  createAuditLog(connection, createKeys(redis.keyPrefix), { ...defaultAuditBounds, ...bounds });
const request = (requestId: string) => ({ mode: "live", participantId, requestId }) as const;
const entry = (requestId: string, by = participantId) => create(AuditEntrySchema, { participantId: by, requestId, summary: "made" });
const query = (changes: Partial<AuditQuery> = {}): AuditQuery => ({
  ...{ mode: "live", after: undefined, fromMs: undefined, toMs: undefined, count: 100, matches: () => true },
  ...changes,
});
const inShort = async (from: AuditLog, changes: Partial<AuditQuery> = {}) =>
  (await from.read(query(changes))).entries.map(({ requestId, outcome }) => [requestId, outcome]);

beforeEach(async () => {
  connection = await redis.connect();
  log = logWith({});
  return () => connection.disconnect();
});

async function make(requestId: string, by = participantId): Promise<void> {
  await log.begin(request(requestId), entry(requestId, by));
  await log.settle(request(requestId), entry(requestId, by));
}

it("has one entry for each request, with the time of the store", async () => {
  const before = Number((await connection.time())[0]) * 1000;
  await make("a");
  expect(await log.begin(request("a"), entry("a"))).toBe(false);
  await log.settle(request("a"), entry("a"));
  const { entries } = await log.read(query());
  expect(entries).toMatchObject([{ requestId: "a", summary: "made", outcome: AuditOutcome.DONE }]);
  const recordedAt = entries[0]?.recordedAt;
  expect(recordedAt && timestampMs(recordedAt)).toBeGreaterThanOrEqual(before);
  expect(await inShort(log, { mode: "test" })).toEqual([]);
});

it("has none of a change that was refused", async () => {
  await log.begin(request("a"), entry("a"));
  await log.withdraw(request("a"));
  expect(await inShort(logWith({ callMs: 0 }))).toEqual([]);
  expect(await connection.exists(createKeys(redis.keyPrefix).auditedRequest("live", participantId, "a"))).toBe(0);
});

it("has none of a change that found nothing to change, unless a call that was cut off may have made it", async () => {
  const later = logWith({ callMs: 0 });
  await log.begin(request("a"), entry("a"));
  await log.settle(request("a"), entry("a"), false);
  expect(await inShort(later)).toEqual([]);
  expect(await log.begin(request("a"), entry("a"))).toBe(false);
  await log.begin(request("b"), entry("b"));
  await log.begin(request("b"), entry("b"));
  await log.settle(request("b"), entry("b"), false);
  expect(await inShort(later)).toEqual([["b", AuditOutcome.DONE]]);
});

it("keeps a change that was cut off, although its repetition is refused, and replaces it when that succeeds", async () => {
  const later = logWith({ callMs: 0 });
  await log.begin(request("a"), entry("a"));
  expect(await log.begin(request("a"), entry("a"))).toBe(true);
  await log.withdraw(request("a"));
  expect(await inShort(later)).toEqual([["a", AuditOutcome.UNKNOWN]]);
  await log.begin(request("a"), entry("a"));
  await log.settle(request("a"), entry("a"));
  expect(await inShort(later)).toEqual([["a", AuditOutcome.DONE]]);
  await log.withdraw(request("a"));
  expect(await inShort(later)).toEqual([["a", AuditOutcome.DONE]]);
});

it("holds back what comes after a change that may still be under way, so that a reader who goes on misses nothing", async () => {
  await make("a");
  await log.begin(request("b"), entry("b"));
  await make("c");
  const page = await log.read(query());
  expect([page.entries.map(({ requestId }) => requestId), page.hasMore]).toEqual([["a"], false]);
  await log.withdraw(request("b"));
  expect(await inShort(log, { after: page.next })).toEqual([["c", AuditOutcome.DONE]]);
});

it("is read by pages, filters and times", async () => {
  for (let number = 0; number < 12; number += 1) await make(`r${number}`, number % 3 === 0 ? other : participantId);
  const wanted = { count: 3, matches: ({ participantId: by }: { participantId: string }) => by === other };
  const first = await log.read(query(wanted));
  const second = await log.read(query({ ...wanted, after: first.next }));
  expect([...first.entries, ...second.entries].map(({ requestId }) => requestId)).toEqual(["r0", "r3", "r6", "r9"]);
  expect([first.hasMore, second.hasMore]).toEqual([true, false]);
  const times = (await log.read(query())).entries.map(({ recordedAt }) => (recordedAt === undefined ? 0 : timestampMs(recordedAt)));
  const [fromMs, toMs] = [times[4] as number, (times[8] as number) + 1];
  const within = times.filter((time) => time >= fromMs && time < toMs).length;
  expect((await log.read(query({ fromMs, toMs }))).entries.length).toBe(within);
  expect(await inShort(log, { fromMs: toMs + 3_600_000 })).toEqual([]);
});

it("has a greatest number of entries, and a time after which they end", async () => {
  log = logWith({ entriesMax: 5 });
  for (let number = 0; number < 8; number += 1) await make(`r${number}`);
  expect((await inShort(log)).map(([requestId]) => requestId)).toEqual(["r3", "r4", "r5", "r6", "r7"]);
  log = logWith({ keptMs: -1000 });
  await make("last");
  expect(await inShort(log)).toEqual([]);
});
