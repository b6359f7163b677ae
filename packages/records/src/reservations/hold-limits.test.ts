import { indexCellOf, type Position, regionOfCell } from "@petak/allocator";
import { HoldKind, type Reservation, ReservationState } from "@petak/protocol";
import type { RedisConnection } from "@petak/redis";
import { makeSite, testStoreCode, useRedis } from "@petak/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import type { HoldLimits } from "../encoding/hold-limits.ts";
import { actualHolds, countedHolds } from "../testing/held-counts.ts";
import { createSearchableRecords, type SearchableRecords } from "../testing/searchable-records.ts";
import type { HoldOutcome, HoldRequest } from "./reserve.ts";
import { giveBack, participantId, request, resolveSite } from "./testing/holding.ts";
import { namedCandidate, siteWithNames } from "./testing/named-site.ts";

const redis = useRedis();
const origin: Position = { latitude: 1.3, longitude: 103.8 };
const region = regionOfCell(indexCellOf(origin));
const other = "par_000000000000000b";
const plenty = 4_000_000_000;
let connection: RedisConnection;
let records: SearchableRecords;

beforeEach(async () => {
  connection = await redis.connect();
  records = createSearchableRecords({ redis: connection, storeCode: testStoreCode, prefix: `${redis.keyPrefix}petak` });
  return () => connection.disconnect();
});

async function addSite(ref: string, places: number): Promise<string> {
  const classes: [string, number, number, number, number, number][] = [["M", 400, 200, 500, 20_000, places]];
  return (await records.sites.put(siteWithNames({ ...origin, ref, classes }), 0)).siteId;
}

interface Asked {
  by?: string;
  limits?: HoldLimits;
  holdKind?: HoldKind;
}

function requestOf(number: number, { by = participantId, limits, holdKind = HoldKind.SOFT }: Asked): HoldRequest {
  const plain = request(origin, number);
  return { ...plain, participantId: by, reservation: { ...plain.reservation, participantId: by, holdKind }, ...(limits && { limits }) };
}

/** Tries the sites in their order. */
async function take(number: number, siteIds: readonly string[], asked: Asked): Promise<HoldOutcome> {
  const isHard = asked.holdKind === HoldKind.HARD;
  const resolve = (siteId: string) => (isHard ? namedCandidate(records, siteId) : resolveSite(records, siteId));
  const candidates = (await Promise.all(siteIds.map(resolve))).filter((candidate) => candidate !== undefined);
  return await records.holds.take(requestOf(number, asked), candidates, resolve);
}

const takeMany = async (count: number, siteIds: readonly string[], asked: Asked, from = 0) =>
  await Promise.all(Array.from({ length: count }, (_, index) => take(from + index, siteIds, asked)));

const heldOf = (outcomes: readonly HoldOutcome[]): Reservation[] =>
  outcomes.flatMap((outcome) => (outcome.tag === "none" ? [] : [outcome.reservation]));

async function expectCounted(): Promise<void> {
  const counted = await countedHolds(redis.client, records.keys, region);
  expect(counted).toEqual(await actualHolds(redis.client, records.keys, records, region));
}

describe.each([
  ["soft", HoldKind.SOFT],
  ["hard", HoldKind.HARD],
])("unconfirmed %s holds of a participant", (_name, holdKind) => {
  it("take the greater of a number and a share of what is free at a site, exactly, and leave the rest to others", async () => {
    const siteId = await addSite("site", 20);
    const limits: HoldLimits = { siteLeast: 3, sitePercent: 50, regionMost: plenty };
    const outcomes = await takeMany(30, [siteId], { limits, holdKind });
    expect(heldOf(outcomes)).toHaveLength(10);
    const refused = outcomes.filter((outcome) => outcome.tag === "none");
    expect(refused[0]).toMatchObject({ exhaustion: { scope: "site", limit: 10, used: 10, firstExpiryMs: 2_000_000_000_000 } });
    expect(refused.every(({ exhaustion }) => exhaustion?.scope === "site")).toBe(true);
    expect(heldOf(await takeMany(20, [siteId], { by: other, limits, holdKind }, 100))).toHaveLength(5);
    await expectCounted();
  });

  it("are at most so many in a region, over all its sites", async () => {
    const siteIds = [await addSite("first", 6), await addSite("second", 6)];
    const limits: HoldLimits = { siteLeast: 4, sitePercent: 1, regionMost: 7 };
    const outcomes = await takeMany(12, siteIds, { limits, holdKind });
    expect(heldOf(outcomes)).toHaveLength(7);
    expect(outcomes.find((outcome) => outcome.tag === "none")).toMatchObject({ exhaustion: { scope: "region", limit: 7, used: 7 } });
    await expectCounted();
  });

  it("pass over a site whose share is used for the next", async () => {
    const siteIds = [await addSite("first", 6), await addSite("second", 6)];
    const limits: HoldLimits = { siteLeast: 2, sitePercent: 1, regionMost: plenty };
    const held = heldOf(await takeMany(5, siteIds, { limits, holdKind }));
    expect(held.map(({ siteId }) => siteIds.indexOf(siteId)).sort()).toEqual([0, 0, 1, 1]);
  });
});

describe("the count of unconfirmed holds", () => {
  const limits: HoldLimits = { siteLeast: 2, sitePercent: 1, regionMost: 2 };

  it("falls when a hold ends, so that another can be taken", async () => {
    const siteId = await addSite("site", 6);
    const [first] = heldOf(await takeMany(2, [siteId], { limits }));
    expect((await take(5, [siteId], { limits })).tag).toBe("none");
    await giveBack(records, first?.reservationId ?? "");
    expect((await take(6, [siteId], { limits })).tag).toBe("held");
    await expectCounted();
  });

  it("falls when a hold is confirmed, and follows its extension", async () => {
    const siteId = await addSite("site", 6);
    const [first, second] = heldOf(await takeMany(2, [siteId], { limits })) as [Reservation, Reservation];
    const place = { heldChange: 0, occupiedChange: 0, events: [] } as const;
    const confirmed = { ...first, state: ReservationState.CONFIRMED, revision: first.revision + 1 };
    await records.reservations.apply({ ...place, before: first, after: confirmed, deadlineMs: 2_100_000_000_000 });
    await records.reservations.apply({ ...place, before: second, after: { ...second, revision: 2 }, deadlineMs: 2_200_000_000_000 });
    await expectCounted();
    expect((await take(6, [siteId], { limits })).tag).toBe("held");
    const refused = await take(7, [siteId], { limits });
    expect(refused).toMatchObject({ exhaustion: { firstExpiryMs: 2_000_000_000_000 } });
    expect(await redis.client.zscore(records.keys.heldBy(region, participantId), second.reservationId.slice(-16))).toBe("2200000000000");
  });

  it("is apart for each network", async () => {
    const siteId = await addSite("site", 6);
    await takeMany(2, [siteId], { limits });
    const hold = requestOf(7, { limits });
    const test: HoldRequest = { ...hold, reservation: { ...hold.reservation, isTest: true } };
    const candidate = await resolveSite(records, siteId);
    expect((await records.holds.take(test, candidate === undefined ? [] : [candidate], async () => candidate)).tag).toBe("held");
  });

  it("leaves out holds from before they were counted, whose end changes nothing", async () => {
    const siteId = await addSite("site", 6);
    const [old] = heldOf(await takeMany(1, [siteId], {}));
    await redis.client.del(records.keys.heldBy(region, participantId), records.keys.held(region));
    await takeMany(2, [siteId], { limits }, 10);
    await giveBack(records, old?.reservationId ?? "");
    await expectCounted();
    expect(await records.heldCounts.atSite({ participantId, isTest: false }, siteId)).toMatchObject({ all: 2 });
  });

  it("does not change for a repeated request", async () => {
    const siteId = await addSite("site", 6);
    const first = await take(1, [siteId], { limits });
    await take(2, [siteId], { limits });
    expect((await take(1, [siteId], { limits })).tag).toBe("repeated");
    expect(heldOf([await take(1, [siteId], { limits })])).toEqual(heldOf([first]));
    expect(await records.heldCounts.inAll({ participantId, isTest: false })).toBe(2);
  });
});

describe("a site without free places", () => {
  it("is full, not exhausted, for a participant that has used its share there", async () => {
    const siteId = (await records.sites.put(makeSite({ ...origin, classes: [["M", 400, 200, 500, 20_000, 2]] }), 0)).siteId;
    await takeMany(2, [siteId], {});
    const outcome = await take(9, [siteId], { limits: { siteLeast: 1, sitePercent: 50, regionMost: plenty } });
    expect(outcome).toEqual({ tag: "none" });
  });
});
