import { DecodedBlock, indexCellOf, occupiedCells, recordFlag, regionOfCell } from "@petak/allocator";
import { type Site, SiteLifecycle } from "@petak/protocol";
import { createKeys, createSiteIds, type RedisConnection } from "@petak/redis";
import { createRandom, type MoreFacts, makeSite, type Random, roundsHere, testSeed, testStoreCode, useRedis } from "@petak/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { defaultQuotas } from "../quotas/quotas.ts";
import { createSiteStore, type SiteStore } from "./site-store.ts";

const redis = useRedis();
const place = { latitude: 1.3, longitude: 103.8 };
const region = regionOfCell(indexCellOf(place));
const siteIds = createSiteIds(testStoreCode);
const keys = () => createKeys(redis.keyPrefix);
const [operatorId, rivalId] = ["par_0000000000000001", "par_0000000000000002"];
const quotas = { ...defaultQuotas, sizeProfilesMax: 3, openingTimesMax: 4 };

let connections: RedisConnection[];
/** The stores of two gateways, with small limits. */
let stores: SiteStore[];
const store = () => stores[0] as SiteStore;

beforeEach(async () => {
  connections = [await redis.connect(), await redis.connect()];
  stores = connections.map((connection) => createSiteStore(connection, keys(), siteIds, quotas));
  return () => {
    for (const connection of connections) connection.disconnect();
  };
});

/** A site whose size class is a cube, open from midnight for some minutes each Monday; 0: always. */
function site(ref: string, sideMm: number, openMinutes = 0, facts: { operatorId?: string; isTest?: boolean } = {}, cell = 0): Site {
  const weekly = [{ openDay: 1, openMinute: 0, closeDay: 1, closeMinute: openMinutes }];
  return makeSite(
    { ...place, longitude: place.longitude + cell / 50, ref, operatorId, ...facts, classes: [["M", sideMm, sideMm, sideMm, 20_000, 4]] },
    { openingHours: openMinutes === 0 ? { alwaysOpen: true } : { weekly } } as MoreFacts,
  );
}

type List = "profiles" | "hours";

/** What the uses of a list must say, by all records of the region. */
async function usesByRecords(list: List): Promise<Record<string, string>> {
  const [refs, names, owners] = [new Map<number, number>(), new Map<string, number>(), new Map<string, number>()];
  const add = <Name>(counts: Map<Name, number>, name: Name) => counts.set(name, (counts.get(name) ?? 0) + 1);
  const bitmap = (await redis.client.getBuffer(keys().occupiedCells(region))) ?? Buffer.alloc(0);
  for (const cell of occupiedCells(region, bitmap)) {
    const block = new DecodedBlock((await redis.client.getBuffer(keys().block(region, cell))) ?? Buffer.alloc(0), siteIds);
    for (let index = 0; index < block.count; index++) {
      const number = list === "profiles" ? block.profileNumber(index) : block.hoursNumber(index);
      if (list === "hours" && number === 0) continue;
      const owner = `${block.operatorNumber(index)}${((block.flags[index] as number) & recordFlag.test) === 0 ? "l" : "t"}`;
      add(refs, number);
      if (add(names, `${owner}:${number}`).get(`${owner}:${number}`) === 1) add(owners, owner);
    }
  }
  const scores = await sequences(list);
  const entries = [...refs].map(([number, count]) => [String(number), `${count} ${scores.get(number)}`] as const);
  return Object.fromEntries([...entries, ...[...names, ...owners].map(([name, count]) => [name, String(count)] as const)]);
}

async function sequences(list: List): Promise<Map<number, number>> {
  const reply = await redis.client.zrange(
    list === "profiles" ? keys().profiles(region) : keys().openingTimes(region),
    "0",
    "-1",
    "WITHSCORES",
  );
  const scores = reply.filter((_, index) => index % 2 === 1).map(Number);
  return new Map(scores.map((score) => [score % 2 ** 24, score]));
}

async function expectExact(): Promise<void> {
  for (const [list, key] of [
    ["profiles", keys().profileUses(region)],
    ["hours", keys().openingTimesUses(region)],
  ] as const) {
    const { last: _last, lap: _lap, ...stored } = await redis.client.hgetall(key);
    const uses = Object.fromEntries(Object.entries(stored).filter(([name]) => !name.startsWith("q:")));
    expect(uses, list).toEqual(await usesByRecords(list));
    expect([...(await sequences(list)).keys()].sort(), list).toEqual(
      Object.keys(uses)
        .filter((name) => /^\d+$/.test(name))
        .map(Number)
        .sort(),
    );
  }
}

const full = (quota: string, limit: string) => ({
  reason: "QUOTA_EXHAUSTED",
  metadata: { quota, limit, used: limit, subject: operatorId },
});

describe("the size profiles and opening times of a region", () => {
  it("are those that its records name: 300 changes of one site leave one of each, and none once it is retired", async () => {
    let siteId = "";
    for (let change = 0; change < 300; change++) ({ siteId } = await store().put(site("one", 100 + change, 1 + change), 0));
    expect([await redis.client.zcard(keys().profiles(region)), await redis.client.zcard(keys().openingTimes(region))]).toEqual([1, 1]);
    await expectExact();
    await store().retire(siteId, 0);
    expect(await redis.client.exists(keys().profiles(region), keys().openingTimes(region))).toBe(0);
    await expectExact();
  });

  it("are counted exactly, whatever happens to sites at the same time over several gateways", async () => {
    const random: Random = createRandom(testSeed());
    const lifecycles = [SiteLifecycle.ACTIVE, SiteLifecycle.ACTIVE, SiteLifecycle.MAINTENANCE];
    const change = async () => {
      const [operator, isTest] = [random.pick([operatorId, rivalId]), random.bool()];
      const ref = `${isTest ? "test" : "live"}-${random.int(0, 3)}`;
      const facts = site(ref, random.int(1, 4) * 100, random.int(0, 4), { operatorId: operator, isTest }, random.int(0, 2));
      try {
        await random.pick(stores).put({ ...facts, lifecycle: random.pick(lifecycles) }, 0);
      } catch (error) {
        expect(["QUOTA_EXHAUSTED", "CONFLICT"]).toContain((error as { reason: string }).reason);
      }
    };
    for (let round = 0; round < roundsHere({ short: 15, ci: 300 }); round++) {
      await Promise.all(Array.from({ length: 12 }, change));
      await expectExact();
    }
  });
});

describe("the limit of an operator's size profiles and opening times", () => {
  it("is that of one network, and of no other operator", async () => {
    for (const side of [100, 200, 300]) await store().put(site(`s${side}`, side), 0);
    await expect(store().put(site("more", 400), 0)).rejects.toMatchObject(full("sizeProfilesMax", "3"));
    for (const minutes of [1, 2, 3, 4]) await store().put(site(`h${minutes}`, 100, minutes), 0);
    await expect(store().put(site("more", 100, 5), 0)).rejects.toMatchObject(full("openingTimesMax", "4"));
    await store().put(site("live", 400, 5, { isTest: false }), 0);
    await store().put(site("rival", 400, 5, { operatorId: rivalId }), 0);
    await store().put(site("alike", 200, 4), 0);
    await expectExact();
  });

  it("lets a site change its own, and frees what is not used any more", async () => {
    for (const side of [100, 200, 300]) await store().put(site(`s${side}`, side), 0);
    await store().put(site("s300", 400), 0);
    await store().put({ ...site("s100", 100), lifecycle: SiteLifecycle.MAINTENANCE }, 0);
    await store().put(site("more", 500), 0);
    await expect(store().put(site("s100", 100), 0)).rejects.toMatchObject(full("sizeProfilesMax", "3"));
    await expectExact();
  });

  it("is not passed by gateways that write at the same time", async () => {
    const sides = Array.from({ length: 30 }, (_, index) => 100 + index);
    const outcomes = await Promise.allSettled(sides.map((side, index) => (stores[index % 2] as SiteStore).put(site(`s${side}`, side), 0)));
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(3);
    await expectExact();
  });
});

describe("the sites of one call", () => {
  /** How often each outcome came, so that the test tests something. */
  const seen = { fits: 0, inOrder: 0, full: 0 };

  it("are refused as a whole exactly if one of them would be refused when they are written one after the other", async () => {
    const random: Random = createRandom(testSeed());
    const lifecycles = [SiteLifecycle.ACTIVE, SiteLifecycle.ACTIVE, SiteLifecycle.MAINTENANCE];
    const limited = createSiteStore(connections[0] as RedisConnection, keys(), siteIds, { ...quotas, sitesMax: 7 });
    const reasonOf = async (work: Promise<unknown>) =>
      await work.then(
        () => undefined,
        (error: unknown) => (error as { metadata: { quota: string } }).metadata.quota,
      );
    const rounds = roundsHere({ short: 60, ci: 2000 });
    // A call where the order matters is rare: some seeds need more rounds.
    for (let round = 0; round < rounds || (seen.inOrder === 0 && round < 20 * rounds); round++) {
      const refs = random.shuffle(["a", "b", "c", "d", "e", "f", "g", "h"]).slice(0, random.int(1, 4));
      const batch = refs.map((ref) => ({
        ...site(ref, random.int(1, 4) * 100, random.int(0, 5)),
        lifecycle: random.pick(lifecycles),
      }));
      const checked = await limited.check(batch).catch((error: unknown) => error as { metadata: { quota: string } });
      const verdict = "metadata" in checked ? checked.metadata.quota : undefined;
      if (verdict === undefined) {
        const { isAnyOrder } = checked as { isAnyOrder: boolean };
        seen[isAnyOrder ? "fits" : "inOrder"] += 1;
        for (const one of isAnyOrder ? random.shuffle(batch) : batch) expect(await reasonOf(limited.put(one, 0))).toBeUndefined();
      } else {
        seen.full += 1;
        const outcomes: (string | undefined)[] = [];
        for (const one of batch) outcomes.push(await reasonOf(limited.put(one, 0)));
        // One after the other, a site refused by another limit adds nothing to the list that the verdict names.
        expect(outcomes.some((reason) => reason !== undefined)).toBe(true);
      }
      await expectExact();
    }
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(0);
  });
});

describe("numbers", () => {
  it("are not passed round faster than readers forget what they mean", async () => {
    await store().put(site("one", 100), 0);
    const uses = keys().profileUses(region);
    const quarter = 2 ** 22;
    await redis.client.hset(uses, { last: quarter - 1 });
    await store().put(site("two", 200), 0);
    await redis.client.hset(uses, { last: 2 * quarter - 1 });
    await expect(store().put(site("three", 300), 0)).rejects.toMatchObject({ reason: "QUOTA_EXHAUSTED", metadata: { subject: region } });
    await redis.client.hincrby(uses, "lap", -900_000);
    await store().put(site("three", 300), 0);
    await expectExact();
  });

  it("of all 24 bits are read from records", async () => {
    await store().put(site("one", 100, 1), 0);
    for (const uses of [keys().profileUses(region), keys().openingTimesUses(region)]) await redis.client.hset(uses, { last: 0xab_cdee });
    await store().put(site("two", 200, 2), 0);
    expect([...(await sequences("profiles")).keys()].sort()).toEqual([1, 0xab_cdef]);
    await expectExact();
  });
});
