import { hash } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { EventSchema, parseSiteId, type Region } from "@petak/protocol";
import { createKeys } from "@petak/redis";
import { createRandom, makeSite, testSeed, testStoreCode, useRedis } from "@petak/testkit";
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import type { DeviceReport } from "../sites/device-report.ts";
import { createSearchableRecords, type SearchableRecords } from "../testing/searchable-records.ts";

const redis = useRedis();
const origin = { latitude: 1.3, longitude: 103.8 };
/** How many of the last reports are known by their hash, and how many are kept apart at most. */
const knownMax = 128;
const keptMax = 100;

let records: SearchableRecords;
let siteId: string;
let region: Region;
let keyCount = 0;

beforeEach(async () => {
  const connection = await redis.connect();
  records = createSearchableRecords({ redis: connection, storeCode: testStoreCode, prefix: `${redis.keyPrefix}petak` });
  siteId = (await records.sites.put(makeSite({ ...origin, classes: [["M", 400, 200, 500, 20_000, 40]] }), 0)).siteId;
  region = parseSiteId(siteId)?.region ?? "";
  return () => connection.disconnect();
});

const start = Buffer.alloc(32);
const noFence = { nonce: new Uint8Array(), inChargeKeyId: "" };
const hashOf = (previous: Uint8Array, content: string) => hash("sha256", Buffer.concat([previous, Buffer.from(content)]), "buffer");

/** The chained reports of a key, each after the one before. */
function chain(count: number, { keyId = newKey(), content = "true", after = start, first = 1 } = {}): DeviceReport[] {
  let previousHash: Buffer = after;
  return Array.from({ length: count }, (_, index) => {
    const sequence = first + index;
    const report = { siteId, keyId, fence: noFence, sequence, previousHash, hash: hashOf(previousHash, `${content} ${sequence}`) };
    previousHash = report.hash;
    return report;
  });
}

function newKey(): string {
  keyCount += 1;
  return `key_test_${keyCount}`;
}

const unchained = (report: DeviceReport): DeviceReport => ({ ...report, previousHash: new Uint8Array() });
const record = async (report: DeviceReport) =>
  await records.reservations.record(region, report, create(EventSchema, { eventId: `${report.keyId} ${hex(report.hash)}` }));
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const watermarkOf = ({ keyId }: DeviceReport) => records.reservations.watermark(siteId, keyId);

async function recordAll(reports: readonly DeviceReport[]): Promise<string[]> {
  const tags: string[] = [];
  for (const report of reports) tags.push((await record(report)).tag);
  return tags;
}

/** The hashes of the reports of a key that became events, in order. */
async function recorded({ keyId }: DeviceReport): Promise<string[]> {
  const events = await records.events.readAfter(region, "0-0", 10_000);
  return events.flatMap(({ event }) => (event.eventId.startsWith(`${keyId} `) ? [event.eventId.slice(keyId.length + 1)] : []));
}

describe("the chained reports of a device", () => {
  it("are each recorded once and in order, however their batches are cut, repeated and reordered", async () => {
    const batch = fc.record({ from: fc.nat(29), length: fc.integer({ min: 1, max: 10 }), cutAfter: fc.nat(12) });
    await fc.assert(
      fc.asyncProperty(fc.array(batch, { minLength: 5, maxLength: 40 }), async (batches) => {
        const reports = chain(30);
        for (const { from, length, cutAfter } of [...batches, { from: 0, length: 30, cutAfter: 30 }]) {
          for (const report of reports.slice(from, from + Math.min(length, cutAfter))) {
            const { tag } = await record(report);
            expect(["done", "seen", "gap"]).toContain(tag);
            if (tag === "gap") break;
          }
        }
        expect(await recorded(reports[0] as DeviceReport)).toEqual(reports.map(({ hash }) => hex(hash)));
        expect(await watermarkOf(reports[0] as DeviceReport)).toMatchObject({ sequence: 30, hasForked: false });
      }),
      { numRuns: 6, seed: testSeed() },
    );
  });

  it("are a fork at any position where another is recorded, and nothing is recorded from then on", async () => {
    const random = createRandom(testSeed());
    for (const recordedCount of [1, 2, 40, knownMax + 20]) {
      const reports = chain(recordedCount + 1);
      const last = reports.at(-2) as DeviceReport;
      expect(new Set(await recordAll(reports.slice(0, -1)))).toEqual(new Set(["done"]));
      expect(await record(last)).toEqual({ tag: "seen", watermark: recordedCount });
      const position = random.int(1, recordedCount);
      const [other] = chain(1, { keyId: last.keyId, first: position, content: "other" });
      expect(await record(other as DeviceReport)).toEqual({ tag: "fork", watermark: recordedCount });
      expect(await record(reports.at(-1) as DeviceReport)).toEqual({ tag: "fork", watermark: recordedCount });
      // What is recorded stays known, so that a lost answer does no harm.
      expect(await record(last)).toEqual({ tag: "seen", watermark: recordedCount });
      expect(await watermarkOf(last)).toEqual({ sequence: recordedCount, hash: new Uint8Array(last.hash), hasForked: true });
      expect(await recorded(last)).toEqual(reports.slice(0, -1).map(({ hash }) => hex(hash)));
    }
  });

  it("are a fork if the next one follows another than the last, whether that was chained or not", async () => {
    for (const before of [chain(2), chain(2).map(unchained)]) {
      await recordAll(before);
      const [next] = chain(1, { keyId: before[0]?.keyId, first: 3, after: hashOf(start, "elsewhere") });
      expect(await record(next as DeviceReport)).toEqual({ tag: "fork", watermark: 2 });
    }
  });

  it("follow those of an earlier release, chained or recorded without hashes, and do not fall back", async () => {
    const reports = chain(4);
    expect(await recordAll([...reports.slice(0, 2).map(unchained), ...reports.slice(2)])).toEqual(["done", "done", "done", "done"]);
    const [fifth] = chain(1, { keyId: reports[0]?.keyId, first: 5, after: Buffer.from(reports[3]?.hash ?? []) }) as [DeviceReport];
    expect(await record(unchained(fifth))).toEqual({ tag: "unchained", watermark: 4 });
    expect(await record(fifth)).toEqual({ tag: "done" });

    const [later, other] = [chain(1, { first: 41, after: hashOf(start, "unknown") })[0], chain(1)[0]] as [DeviceReport, DeviceReport];
    const { siteNumber = 0 } = parseSiteId(siteId) ?? {};
    await redis.client.set(createKeys(`${redis.keyPrefix}petak`).agentWatermark(region, siteNumber, later.keyId), "40");
    expect(await watermarkOf(later)).toEqual({ sequence: 40, hash: new Uint8Array(), hasForked: false });
    expect(await record(later)).toEqual({ tag: "done" });
    // What an earlier release recorded cannot be compared.
    expect(await record({ ...other, keyId: later.keyId })).toEqual({ tag: "seen", watermark: 41 });
  });

  it("of a fork are kept apart up to a limit, and take 1.9 kB at most", async () => {
    const reports = chain(knownMax + 10);
    const keyId = reports[0]?.keyId;
    await recordAll(reports);
    const others = chain(keptMax + 5, { keyId, first: knownMax + 11, content: "other", after: hashOf(start, "elsewhere") });
    const tags = await recordAll(others);
    expect(tags.filter((tag) => tag === "fork")).toHaveLength(keptMax);
    expect(tags.slice(keptMax)).toEqual(["fork_full", "fork_full", "fork_full", "fork_full", "fork_full"]);
    // Sent again, each has the same outcome.
    expect(await recordAll(others)).toEqual(tags);
    const { siteNumber = 0 } = parseSiteId(siteId) ?? {};
    const key = createKeys(`${redis.keyPrefix}petak`).agentWatermark(region, siteNumber, keyId ?? "");
    expect(await redis.client.strlen(key)).toBeLessThan(1900);
  });
});

describe("a store or a device of an earlier time", () => {
  it("is found by the last report of the device, if another is recorded under its number", async () => {
    const reports = chain(5);
    const [third, fifth] = [reports[2], reports[4]] as [DeviceReport, DeviceReport];
    await recordAll(reports);
    const { deviceReports } = records;
    expect(await deviceReports.compareLast(third, third)).toEqual({ tag: "same" });
    expect(await deviceReports.compareLast(third, { ...fifth, sequence: 9 })).toEqual({ tag: "same" });
    expect(await deviceReports.compareLast(third, { sequence: 0, hash: start })).toEqual({ tag: "same" });
    expect(await deviceReports.compareLast(third, { ...third, hash: fifth.hash })).toEqual({ tag: "fork", watermark: 5 });
    expect(await watermarkOf(third)).toMatchObject({ hasForked: true });
  });

  it("lets the device continue after reports that it has deleted, and takes nothing older for recorded", async () => {
    const reports = chain(60);
    await recordAll(reports.slice(0, 3));
    const [first, next] = [reports[0], reports[50]] as [DeviceReport, DeviceReport];
    const { deviceReports } = records;
    const skipped = { after: 3, to: 50, hash: next.previousHash };
    expect(await deviceReports.skip(first, { ...skipped, after: 2 })).toBe("stale");
    expect(await deviceReports.skip(first, skipped)).toBe("done");
    expect(await deviceReports.skip(first, skipped)).toBe("stale");
    expect(await recordAll(reports.slice(50))).toEqual(reports.slice(50).map(() => "done"));
    expect(await record(next)).toEqual({ tag: "seen", watermark: 60 });
    expect(await record(first)).toEqual({ tag: "fork", watermark: 60 });
  });
});
