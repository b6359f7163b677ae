import { greatCircleM } from "@petak/allocator";
import { parseSiteId, type Region } from "@petak/protocol";
import { type RedisConnection, serverOf } from "@petak/redis";
import { createRandom, makeSite, testSeed, testStoreCode, useRedis } from "@petak/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { createEventTail } from "../listening/event-tail.ts";
import { recordGrowth } from "../listening/testing/record-growth.ts";
import { createSearchableRecords, type SearchableRecords } from "../testing/searchable-records.ts";
import { testSiteIds } from "../testing/test-ids.ts";
import { participantId, request, reserve, resolveSite } from "./testing/holding.ts";
import { cornersNear, type RegionCorner } from "./testing/region-corner.ts";

const redis = useRedis();
const singapore = { latitude: 1.3, longitude: 103.8 };
let connection: RedisConnection;
let records: SearchableRecords;
let corner: RegionCorner;

beforeEach(async () => {
  connection = await redis.connect();
  records = createSearchableRecords({ redis: connection, storeCode: testStoreCode, prefix: `${redis.keyPrefix}petak` });
  const corners = cornersNear(singapore);
  const serversAt = ({ regions }: RegionCorner) => new Set(regions.map((region) => serverOf(connection, records.keys.events(region))));
  // On a cluster of three masters: a corner with one region at each of them.
  const found = corners.find((one) => serversAt(one).size === (redis.isCluster ? 3 : 1));
  if (found === undefined) throw new Error(`none of ${corners.length} corners will do`);
  corner = found;
  return () => connection.disconnect();
});

/** Adds a site with one place. */
async function putSite(region: Region, distanceM: number): Promise<string> {
  const site = makeSite({
    ...corner.inRegion(region, distanceM),
    ref: `${region}-${distanceM}`,
    classes: [["M", 400, 200, 500, 20_000, 1]],
  });
  return (await records.sites.put(site, 0)).siteId;
}

const siteOf = (outcome: Awaited<ReturnType<typeof reserve>>) => (outcome.tag === "none" ? undefined : outcome.reservation.siteId);

describe("where three regions meet", () => {
  it("the nearest sites come from all three, in the order of their distance", async () => {
    const distances = createRandom(testSeed()).shuffle([20, 30, 40, 50, 60, 70, 80, 90, 99]);
    const placed: { siteId: string; distanceM: number }[] = [];
    for (const [index, distanceM] of distances.entries()) {
      const region = corner.regions[index % 3] as Region;
      const siteId = await putSite(region, distanceM);
      expect(parseSiteId(siteId)?.region).toBe(region);
      placed.push({ siteId, distanceM: greatCircleM(corner.position, corner.inRegion(region, distanceM)) });
    }
    expect(Math.max(...placed.map(({ distanceM }) => distanceM))).toBeLessThan(100);
    const expected = placed.sort((a, b) => a.distanceM - b.distanceM).map(({ siteId }) => siteId);
    const held: (string | undefined)[] = [];
    for (let number = 0; number < 10; number++) held.push(siteOf(await reserve(records, corner.position, number)));
    expect(held).toEqual([...expected, undefined]);
  });

  it("the nearest site is across the edge if it is nearer", async () => {
    const [here, there, elsewhere] = corner.regions;
    const own = await putSite(here, 150);
    const across = await putSite(there, 20);
    await putSite(elsewhere, 180);
    expect(siteOf(await reserve(records, corner.inRegion(here, 10), 1))).toBe(across);
    expect(siteOf(await reserve(records, corner.inRegion(here, 10), 2))).toBe(own);
  });

  it("concurrent and repeated requests get one place each, and no place is held twice", async () => {
    const siteIds = await Promise.all(corner.regions.map((region) => putSite(region, 50)));
    const others = await Promise.all(Array.from({ length: 3 }, () => redis.connect()));
    const gatewayRecords = others.map((other) =>
      createSearchableRecords({ redis: other, storeCode: testStoreCode, prefix: `${redis.keyPrefix}petak` }),
    );
    const candidates = (await Promise.all(siteIds.map((siteId) => resolveSite(records, siteId)))).filter((one) => one !== undefined);
    const outcomes = await Promise.all(
      Array.from({ length: 15 }, async (_, attempt) => {
        const number = attempt % 5;
        const via = gatewayRecords[attempt % 3] as SearchableRecords;
        const outcome = await via.holds.take(request(corner.position, number), candidates, (siteId) => resolveSite(via, siteId));
        return { number, siteId: siteOf(outcome) };
      }),
    );
    for (const other of others) other.disconnect();
    const byRequest = Map.groupBy(outcomes, ({ number }) => number);
    const held = [...byRequest.values()].map((answers) => [
      ...new Set(answers.map(({ siteId }) => siteId).filter((id) => id !== undefined)),
    ]);
    expect(held.every((ids) => ids.length <= 1)).toBe(true);
    expect(held.flat().sort()).toEqual([...siteIds].sort());
  });

  it("events of all three are reported as they are recorded", async () => {
    for (const region of corner.regions) await putSite(region, 50);
    const grown = recordGrowth();
    const tail = createEventTail({
      connect: () => redis.connectLater(),
      keys: records.keys,
      siteIds: testSiteIds,
      onGrown: grown.onGrown,
      onError: () => undefined,
      // No polling.
      pollAllMs: 3_600_000,
    });
    try {
      // Subscribed from now on.
      await tail.catchUp();
      for (let number = 0; number < 3; number++) await reserve(records, corner.position, number);
      await expect
        .poll(() => new Set(grown.all.filter(({ concerned }) => concerned.includes(participantId)).map(({ region }) => region)))
        .toEqual(new Set(corner.regions));
    } finally {
      await tail.stop();
    }
  });
});
