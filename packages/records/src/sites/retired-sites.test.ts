import { indexCellOf, regionOfCell } from "@petak/allocator";
import { LiveReservations, ReservationState, type Site, SiteLifecycle } from "@petak/protocol";
import type { RedisConnection } from "@petak/redis";
import { createRandom, makeSite, type Random, roundsHere, testSeed, testStoreCode, useRedis } from "@petak/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { defaultQuotas } from "../quotas/quotas.ts";
import { giveBack, request, resolveSite } from "../reservations/testing/holding.ts";
import { keysLike } from "../testing/keys-like.ts";
import { createSearchableRecords, type SearchableRecords } from "../testing/searchable-records.ts";
import { createRetiredSites, retiredKeptMs } from "./retired-sites.ts";

const redis = useRedis();
const origin = { latitude: 1.3, longitude: 103.8 };
const region = regionOfCell(indexCellOf(origin));
const operatorId = "par_0000000000000001";
let connections: RedisConnection[];
/** Two gateways, for which an operator may have three sites in a network. */
let gateways: SearchableRecords[];
const one = () => gateways[0] as SearchableRecords;

const over = (connection: RedisConnection) =>
  createSearchableRecords({
    redis: connection,
    storeCode: testStoreCode,
    prefix: `${redis.keyPrefix}petak`,
    quotas: { ...defaultQuotas, sitesMax: 3 },
  });

beforeEach(async () => {
  connections = await Promise.all([redis.connect(), redis.connect(), redis.connect()]);
  gateways = connections.slice(0, 2).map(over);
  return () => {
    for (const connection of connections) connection.disconnect();
  };
});

const site = (ref: string): Site => ({ ...makeSite({ ...origin, ref }), operatorId });
const put = async (ref: string, nowMs = 0) => (await one().sites.put(site(ref), nowMs)).siteId;
const countedRefs = async () => (await redis.client.smembers(one().keys.operatorSites("test", operatorId))).sort();
/** Names of the keys of the region that are about a single site. */
const siteKeys = async () => (await keysLike(connections[0] as RedisConnection, `${one().keys.site(region, 1).slice(0, -1)}*`)).sort();

/** Checks that exactly the sites to which a reference leads count, and that nothing is left of others. */
async function expectExact(): Promise<void> {
  const refs = await redis.client.hgetall(one().keys.operatorSiteRefs(operatorId));
  expect(await countedRefs()).toEqual(Object.keys(refs).sort());
  const found = await one().sites.findAll(Object.values(refs).map((short) => one().siteIds.lengthen(short)));
  expect(found.map((stored) => stored?.site.operatorSiteRef)).toEqual(Object.keys(refs));
  const cell = indexCellOf(origin);
  expect(await redis.client.hlen(one().keys.siteCounts(region, cell))).toBe(found.length);
  expect((await siteKeys()).filter((key) => !key.includes(":", key.indexOf(":site:") + 6))).toHaveLength(found.length);
}

describe("a retired site", () => {
  it("counts and can be put back for half a year, then ends: others take its place, and its reference gets another id", async () => {
    const [first, second] = [await put("a"), await put("b")];
    await put("c");
    for (const siteId of [first, second]) await one().sites.retire(siteId, 1000);
    await put("b", 2000);
    expect(await one().retiredSites.end(region, 1000 + retiredKeptMs - 1)).toBe(0);
    await expect(put("d")).rejects.toMatchObject({ reason: "QUOTA_EXHAUSTED", metadata: { quota: "sitesMax", used: "3" } });
    expect(await one().retiredSites.end(region, 1000 + retiredKeptMs)).toBe(1);
    expect([await one().sites.find(first), await one().sites.filed(first)]).toEqual([undefined, undefined]);
    await expectExact();
    const next = await put("a");
    expect(next).not.toBe(first);
    await expect(put("d")).rejects.toMatchObject({ reason: "QUOTA_EXHAUSTED" });
    expect(await one().retiredSites.end(region, 10 * retiredKeptMs)).toBe(0);
    await expectExact();
  });

  it("stays while it has a reservation, and holds up no other", async () => {
    const siteIds = [await put("a"), await put("b")];
    const candidate = await resolveSite(one(), siteIds[0] ?? "");
    const held = await one().holds.take(request(origin, 1), candidate === undefined ? [] : [candidate], async () => candidate);
    if (held.tag === "none") throw new Error("not held");
    for (const siteId of siteIds) await one().sites.retire(siteId, 0, LiveReservations.DRAIN);
    expect(await one().retiredSites.end(region, retiredKeptMs)).toBe(1);
    const { reservationId } = held.reservation;
    await giveBack(one(), reservationId);
    // The duty to tell of its retirement.
    expect(await one().retiredSites.end(region, retiredKeptMs)).toBe(0);
    for (const pending of await one().siteChanges.pending(region, retiredKeptMs)) {
      await one().siteChanges.settle(pending, [], retiredKeptMs);
    }
    expect(await one().retiredSites.end(region, retiredKeptMs)).toBe(1);
    await expectExact();
    // What has ended there can still be changed, e.g. corrected.
    const before = await one().reservations.find(reservationId);
    if (before === undefined) throw new Error("not there");
    const after = { ...before, revision: before.revision + 1, partnerReference: "corrected" };
    const unchanged = { heldChange: 0, occupiedChange: 0, events: [] } as const;
    expect(await one().reservations.apply({ ...unchanged, before, after })).toEqual({ tag: "done" });
    expect((await one().reservations.find(reservationId))?.state).toBe(ReservationState.CANCELLED);
  });

  it("does not end if it is put back while it is looked at, be it only paused", async () => {
    const siteId = await put("a");
    await one().sites.retire(siteId, 0);
    const paused = { ...site("a"), lifecycle: SiteLifecycle.MAINTENANCE };
    const filed = async (looked: string) => {
      await one().sites.put(paused, 1);
      return await one().sites.filed(looked);
    };
    const { keys, siteIds } = one();
    expect(await createRetiredSites(redis.client, keys, siteIds, { filed }).end(region, retiredKeptMs)).toBe(0);
    expect((await one().sites.find(siteId))?.site.lifecycle).toBe(SiteLifecycle.MAINTENANCE);
    await expectExact();
  });

  it("ends once, wholly, and at once for everybody, wherever a gateway that ends it is cut off", async () => {
    const dying = connections[2] as RedisConnection;
    const send = dying.sendCommand.bind(dying);
    let [left, wasCut] = [0, true];
    dying.sendCommand = (command: Parameters<typeof send>[0]) => {
      if (left-- > 0) return send(command);
      wasCut = true;
      command.reject(new Error("cut off"));
      return command.promise;
    };
    const ids = new Set<string>();
    for (let commands = 0; wasCut; commands++) {
      const siteId = await put("a");
      expect(ids.has(siteId)).toBe(false);
      ids.add(siteId);
      await one().sites.retire(siteId, 0);
      [left, wasCut] = [commands, false];
      await over(dying)
        .retiredSites.end(region, retiredKeptMs)
        .catch(() => undefined);
      // Somebody may want the reference before another gateway goes on, or after.
      if (commands % 2 === 0) await put("a", 1);
      await one().retiredSites.end(region, retiredKeptMs);
      await expectExact();
      await one().sites.retire(await put("a"), 0);
      await one().retiredSites.end(region, retiredKeptMs);
    }
    expect(ids.size).toBeGreaterThan(6);
  });

  it("is counted exactly, whatever else operators do at the same time over several gateways", async () => {
    const random: Random = createRandom(testSeed());
    const ended = new Set<string>();
    for (let round = 0; round < roundsHere({ short: 5, ci: 300 }); round++) {
      const steps = Array.from({ length: 8 }, async () => {
        const { sites, retiredSites } = random.pick(gateways);
        const ref = random.pick(["a", "b", "c", "d", "e"]);
        try {
          if (random.bool(0.4)) await retiredSites.end(region, retiredKeptMs);
          else {
            const lifecycle = random.bool() ? SiteLifecycle.DECOMMISSIONED : SiteLifecycle.ACTIVE;
            const { siteId } = await sites.put({ ...site(ref), lifecycle }, 0);
            expect(ended.has(siteId)).toBe(false);
          }
        } catch (error) {
          expect(["QUOTA_EXHAUSTED", "CONFLICT"]).toContain((error as { reason: string }).reason);
        }
      });
      await Promise.all(steps);
      await one().retiredSites.end(region, retiredKeptMs);
      await expectExact();
      const last = Number(await redis.client.get(one().keys.siteCounter(region)));
      for (let number = 1; number <= last; number++) {
        if ((await redis.client.getbit(one().keys.endedSites(region), number)) === 1) ended.add(one().siteIds.format(region, number));
      }
    }
    expect(ended.size).toBeGreaterThan(0);
  });
});
