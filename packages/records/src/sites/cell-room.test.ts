import { indexCellOf, regionOfCell } from "@petak/allocator";
import { type Site, SiteLifecycle } from "@petak/protocol";
import { createKeys, createSiteIds, type RedisConnection } from "@petak/redis";
import { makeSite, testStoreCode, useRedis } from "@petak/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { defaultQuotas } from "../quotas/quotas.ts";
import { createSiteStore, type SiteStore } from "./site-store.ts";

const redis = useRedis();
const place = { latitude: 1.3, longitude: 103.8 };
const cell = indexCellOf(place);
const [operatorId, rivalId, thirdId] = ["par_0000000000000001", "par_0000000000000002", "par_0000000000000003"];

/** The stores of two gateways, which allow three sites of an operator in a cell, and six of the test network. */
let stores: SiteStore[];
const store = () => stores[0] as SiteStore;

beforeEach(async () => {
  const connections: RedisConnection[] = [await redis.connect(), await redis.connect()];
  const quotas = { ...defaultQuotas, cellSitesMax: 3 };
  stores = connections.map((connection) => createSiteStore(connection, createKeys(redis.keyPrefix), createSiteIds(testStoreCode), quotas));
  return () => {
    for (const connection of connections) connection.disconnect();
  };
});

const site = (ref: string, facts: { operatorId?: string; isTest?: boolean } = {}, longitude = place.longitude): Site =>
  makeSite({ ...place, longitude, ref, operatorId, ...facts });
const elsewhere = (ref: string) => site(ref, {}, place.longitude + 0.03);
const full = (limit: number, subject: string) => ({
  reason: "QUOTA_EXHAUSTED",
  metadata: { quota: "cellSitesMax", limit: String(limit), used: String(limit), subject },
});

/** Bytes of the cell's block, in records. */
async function sitesInCell(): Promise<number> {
  return (await redis.client.strlen(createKeys(redis.keyPrefix).block(regionOfCell(cell), cell))) / 44;
}

describe("the sites of an operator in one index cell", () => {
  it("are limited by network, however many gateways write at the same time", async () => {
    const refs = Array.from({ length: 20 }, (_, number) => `s${number}`);
    const outcomes = await Promise.allSettled(refs.map((ref, index) => (stores[index % 2] as SiteStore).put(site(ref), 0)));
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(3);
    for (const outcome of outcomes) if (outcome.status === "rejected") expect(outcome.reason).toMatchObject(full(3, operatorId));
    await store().put(site("live", { isTest: false }), 0);
    await store().put(site("rival", { operatorId: rivalId }), 0);
    await store().put(elsewhere("elsewhere"), 0);
    expect(await sitesInCell()).toBe(5);
  });

  it("may be changed at the limit, and leave room for others when they move away or are not offered any more", async () => {
    for (const ref of ["a", "b", "c"]) await store().put(site(ref), 0);
    await store().put({ ...site("a"), name: "Another name" }, 0);
    await store().put(elsewhere("d"), 0);
    await expect(store().put(site("d"), 0)).rejects.toMatchObject(full(3, operatorId));
    await store().put(elsewhere("a"), 0);
    await store().put(site("d"), 0);
    await store().put({ ...site("b"), lifecycle: SiteLifecycle.MAINTENANCE }, 0);
    await store().put(site("e"), 0);
    await expect(store().put({ ...site("b"), lifecycle: SiteLifecycle.ACTIVE }, 0)).rejects.toMatchObject(full(3, operatorId));
  });

  it("are counted before the first site of a call is written, in the order of the call", async () => {
    for (const ref of ["a", "b"]) await store().put(site(ref), 0);
    await expect(store().check([site("c"), site("d")])).rejects.toMatchObject({
      metadata: { quota: "cellSitesMax", used: "2", limit: "3" },
    });
    expect((await store().check([site("c")])).isAnyOrder).toBe(true);
    expect((await store().check([elsewhere("a"), site("c"), site("d")])).isAnyOrder).toBe(false);
    await expect(store().check([site("c"), site("d"), elsewhere("a")])).rejects.toMatchObject({ reason: "QUOTA_EXHAUSTED" });
    // Those of another operator and of the other network do not count.
    expect((await store().check(["c", "d", "e"].map((ref) => site(ref, { operatorId: rivalId })))).isAnyOrder).toBe(true);
  });
});

describe("the test sites of all operators in one index cell", () => {
  it("are twice as many as one operator's at most, so that live searches do not have to pass over more", async () => {
    for (const by of [operatorId, rivalId]) for (const ref of ["a", "b", "c"]) await store().put(site(ref, { operatorId: by }), 0);
    await expect(store().put(site("a", { operatorId: thirdId }), 0)).rejects.toMatchObject(full(6, cell));
    await expect(store().check([site("a", { operatorId: thirdId })])).rejects.toMatchObject(full(6, cell));
    await store().put(site("live", { operatorId: thirdId, isTest: false }), 0);
    expect(await sitesInCell()).toBe(7);
  });
});
