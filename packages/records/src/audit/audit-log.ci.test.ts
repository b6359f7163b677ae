import { create } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { AuditEntrySchema, AuditOutcome } from "@petak/protocol";
import { createKeys, type RedisConnection } from "@petak/redis";
import { useRedis } from "@petak/testkit";
import { beforeEach, expect, it } from "vitest";
import { type AuditBounds, type AuditLog, type AuditQuery, createAuditLog } from "./audit-log.ts";

const redis = useRedis();
const participantId = "par_0000000000000001";
const other = "par_0000000000000002";
let connection: RedisConnection;
let log: AuditLog;

const logWith = (bounds: Partial<AuditBounds>) => createAuditLog(connection, createKeys(redis.keyPrefix), bounds);
const request = (requestId: string, by = participantId) => ({ mode: "live", participantId: by, requestId, fingerprint: "" }) as const;
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
  await log.begin(request(requestId, by), entry(requestId, by));
  await log.settle(request(requestId, by), entry(requestId, by));
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
  expect(await connection.exists(createKeys(redis.keyPrefix).auditedRequest("live", participantId, "a", ""))).toBe(0);
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

it("drops the oldest entries of whoever has too many, nobody else's, and says so to readers who had not come so far", async () => {
  log = logWith({ entriesMax: 5 });
  await make("other", other);
  const { next } = await log.read(query());
  for (let number = 0; number < 8; number += 1) await make(`r${number}`);
  await log.begin(request("refused"), entry("refused"));
  await log.withdraw(request("refused"));
  const page = await log.read(query());
  expect(page.entries.map(({ requestId }) => requestId)).toEqual(["other", "r3", "r4", "r5", "r6", "r7"]);
  const [dropped] = page.dropped;
  expect(page.dropped).toEqual([{ makerId: participantId, until: expect.stringMatching(/^\d+-\d+$/) }]);
  expect((await log.read(query({ after: next }))).dropped).toEqual(page.dropped);
  expect((await log.read(query({ after: dropped?.until ?? "" }))).dropped).toEqual([]);
  expect((await log.read(query({ fromMs: Date.now() + 3_600_000 }))).dropped).toEqual([]);
  expect([await log.usage("live", participantId), await log.usage("live", other)]).toEqual([
    { limit: 5, used: 5 },
    { limit: 5, used: 1 },
  ]);
});

it("counts changes that were cut off, so that they push out nobody's either", async () => {
  log = logWith({ entriesMax: 3, callMs: 0 });
  await make("other", other);
  for (const requestId of ["a", "b", "c", "d"]) await log.begin(request(requestId), entry(requestId));
  await make("e");
  expect(await inShort(log)).toEqual([
    ["other", AuditOutcome.DONE],
    ["c", AuditOutcome.UNKNOWN],
    ["d", AuditOutcome.UNKNOWN],
    ["e", AuditOutcome.DONE],
  ]);
});

it("drops the oldest of changes that were cut off, although none is ever completed", async () => {
  log = logWith({ entriesMax: 2, callMs: 0 });
  for (let number = 0; number < 105; number += 1) await log.begin(request(`r${number}`), entry(`r${number}`));
  const page = await log.read(query({ count: 200 }));
  expect([page.entries.length, page.entries[0]?.requestId]).toEqual([102, "r3"]);
  expect(page.dropped).toMatchObject([{ makerId: participantId }]);
});

it("records another change under the same request id", async () => {
  await make("a");
  const other = { ...request("a"), fingerprint: "another body" };
  expect(await log.begin(other, entry("a"))).toBe(true);
  await log.settle(other, entry("a"));
  expect(await inShort(log)).toEqual([
    ["a", AuditOutcome.DONE],
    ["a", AuditOutcome.DONE],
  ]);
});

it("drops everybody's entries after a time, and says so", async () => {
  await make("a", other);
  log = logWith({ keptMs: -1000 });
  await make("last");
  const page = await log.read(query());
  expect([page.entries, page.dropped]).toEqual([[], [{ makerId: undefined, until: expect.stringMatching(/^\d+-0$/) }]]);
});

it("drops many entries by and by after its limit was lowered", async () => {
  for (let number = 0; number < 230; number += 1) await make(`r${number}`);
  log = logWith({ entriesMax: 5 });
  await make("once");
  expect((await log.usage("live", participantId)).used).toBe(31);
  await make("again");
  expect((await inShort(log)).length).toBe(5);
});
