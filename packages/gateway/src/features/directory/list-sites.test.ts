import { create } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type ListSitesRequest, ListSitesRequestSchema, LiveReservations, Role, reasonOf, type Site, SiteLifecycle } from "@petak/protocol";
import { createRecords, type Records, retiredKeptMs } from "@petak/records";
import { createKeys, type RedisConnection } from "@petak/redis";
import { createRandom, makeSite, type Random, roundsHere, testSeed, testStoreCode, useRedis } from "@petak/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { testCaller } from "../../identity/testing/test-caller.ts";
import { listSites } from "./list-sites.ts";

const redis = useRedis();
const dayMs = 86_400_000;
/** Singapore and Johor Bahru, and another region far away. */
const places = [
  { latitude: 1.3, longitude: 103.8 },
  { latitude: 1.4655, longitude: 103.75 },
  { latitude: 13.7, longitude: 100.5 },
];
const operatorIds = ["par_0000000000000001", "par_0000000000000002"];
const { ACTIVE, PLANNED, MAINTENANCE, DECOMMISSIONED } = SiteLifecycle;
const testMode = testCaller(Role.COURIER);
const liveMode = { ...testMode, mode: "live" } as const;

type Question = Partial<Pick<ListSitesRequest, "cursor" | "pageSize" | "countryCodes" | "operatorIds">>;

let connections: RedisConnection[];
/** Two gateways. */
let gateways: Records[];
const one = () => gateways[0] as Records;
const keys = () => createKeys(redis.keyPrefix);
let nowMs: number;

const over = (connection: RedisConnection) => createRecords({ redis: connection, prefix: redis.keyPrefix, storeCode: testStoreCode });

beforeEach(async () => {
  nowMs = 1_795_576_959_000;
  connections = await Promise.all([redis.connect(), redis.connect(), redis.connect()]);
  gateways = connections.slice(0, 2).map(over);
  return () => {
    for (const connection of connections) connection.disconnect();
  };
});

const site = (ref: string, more: object = {}): Site => makeSite({ ref, ...(places[0] as (typeof places)[0]) }, more);
const put = async (given: Site) => (await one().sites.put(given, nowMs)).siteId;
const list = (records: Records, request: Question = {}, caller = testMode) =>
  listSites({ ...records, now: () => nowMs }, create(ListSitesRequestSchema, request), caller);

/** A copy of the directory, as somebody keeps it. */
class Copy {
  readonly sites = new Map<string, Site>();
  cursor = "";
  hasMore = true;
  readonly filters: Question;
  readonly isTest: boolean;

  constructor(filters: Question = {}, isTest = true) {
    this.filters = filters;
    this.isTest = isTest;
  }

  /** Reads one page. @param isLost whether it is asked for once more, as after a broken connection or a crash */
  async read(records = one(), pageSize = 0, isLost = false): Promise<string[]> {
    const request = { ...this.filters, pageSize, cursor: this.cursor };
    // At the beginning what is not sent again is dropped.
    if (this.cursor === "") this.sites.clear();
    const page = await list(records, request, this.isTest ? testMode : (liveMode as never)).catch((error: unknown) => {
      if (reasonOf(error) !== "CURSOR_INVALID") throw error;
      [this.cursor, this.hasMore] = ["", true];
      return undefined;
    });
    if (page === undefined) return [];
    const ids = [...page.sites, ...page.tombstones].map(({ siteId }) => siteId);
    if (pageSize > 0) expect(ids.length).toBeLessThanOrEqual(pageSize);
    expect(new Set(ids).size).toBe(ids.length);
    for (const changed of page.sites) this.sites.set(changed.siteId, changed);
    for (const { siteId } of page.tombstones) this.sites.delete(siteId);
    if (!isLost) [this.cursor, this.hasMore] = [page.nextCursor, page.hasMore];
    return ids;
  }

  /** Reads until it is told that there is no more. */
  async catchUp(): Promise<void> {
    do await this.read();
    while (this.hasMore);
  }
}

/** All sites that a copy should have, from the sites' own records. */
async function directory({ filters, isTest }: Copy): Promise<Site[]> {
  const refs = await Promise.all(operatorIds.map((operatorId) => redis.client.hvals(keys().operatorSiteRefs(operatorId))));
  const facts = await one().sites.facts(refs.flat().map((short) => one().siteIds.lengthen(short)));
  return facts.filter((facts): facts is Site => {
    if (facts === undefined || facts.lifecycle === DECOMMISSIONED || facts.isTest !== isTest) return false;
    const { countryCodes = [], operatorIds: operators = [] } = filters;
    const isThere = countryCodes.length === 0 || countryCodes.includes(facts.address?.countryCode ?? "");
    return isThere && (operators.length === 0 || operators.includes(facts.operatorId));
  });
}

const byId = (sites: Iterable<Site>) => [...sites].sort((a, b) => (a.siteId < b.siteId ? -1 : 1));

/** Checks that a copy that has caught up equals the directory. */
async function expectEqual(copy: Copy): Promise<void> {
  await copy.catchUp();
  expect(byId(copy.sites.values())).toEqual(byId(await directory(copy)));
}

describe("ListSites", () => {
  it("gives all sites of the caller's network, then only what has changed, with a tombstone of what is retired", async () => {
    const first = await put(site("a"));
    await put(site("b", { lifecycle: PLANNED }));
    await put(site("c", { isTest: false }));
    const copy = new Copy();
    await expectEqual(copy);
    expect(copy.sites.size).toBe(2);
    expect(await copy.read()).toEqual([]);
    await put(site("a", { name: "Another name" }));
    await put(site("b", { lifecycle: PLANNED }));
    expect(await copy.read()).toEqual([first]);
    await one().sites.retire(first, nowMs);
    const { sites, tombstones, hasMore } = await list(one(), { cursor: copy.cursor });
    expect([sites, tombstones, hasMore]).toMatchObject([
      [],
      [{ siteId: first, operatorId: operatorIds[0], operatorSiteRef: "a", revision: 3 }],
      false,
    ]);
    expect(tombstones[0]?.updatedAt && timestampMs(tombstones[0].updatedAt)).toBe(nowMs);
    await expectEqual(copy);
    await put(site("a"));
    expect(await copy.read()).toEqual([first]);
    await expectEqual(copy);
    await expectEqual(new Copy({}, false));
  });

  it("gives a tombstone to a copy of some countries when a site leaves them, and tells it of no other operator's", async () => {
    const [here, there] = [await put(site("a")), await put(site("b", { operatorId: operatorIds[1] }))];
    const [singapore, second] = [new Copy({ countryCodes: ["SG"] }), new Copy({ operatorIds: operatorIds.slice(1) })];
    for (const copy of [singapore, second]) await expectEqual(copy);
    expect([...second.sites.keys()]).toEqual([there]);
    await put(site("a", { address: { countryCode: "MY" } }));
    expect(await singapore.read()).toEqual([here]);
    expect(await second.read()).toEqual([]);
    for (const copy of [singapore, second]) await expectEqual(copy);
  });

  it("refuses a cursor that is older than retired sites are kept, of another network, other filters or another store", async () => {
    await put(site("a"));
    const { nextCursor: cursor } = await list(one());
    const reasons = async (request: Question, caller = testMode) =>
      await list(one(), { cursor, ...request }, caller).then(
        () => undefined,
        (error: unknown) => reasonOf(error),
      );
    expect(await reasons({}, liveMode as never)).toBe("CURSOR_INVALID");
    expect(await reasons({ countryCodes: ["SG"] })).toBe("CURSOR_INVALID");
    expect(await reasons({ operatorIds })).toBe("CURSOR_INVALID");
    for (const wrong of ["x", `${cursor}AAAA`, cursor.slice(0, -4), cursor.replace(/^./, "B")]) {
      expect(await reasons({ cursor: wrong })).toBe("CURSOR_INVALID");
    }
    for (const filters of [{ countryCodes: ["SG", "MY"] }, { operatorIds }]) {
      const there = await list(one(), filters);
      const turned = Object.fromEntries(Object.entries(filters).map(([name, values]) => [name, values.toReversed()]));
      expect(await reasons({ ...turned, cursor: there.nextCursor })).toBeUndefined();
    }
    const other = { ...one(), siteIds: { storeCode: "0000000000000" } } as Records;
    await expect(list(other, { cursor })).rejects.toMatchObject({ reason: "CURSOR_INVALID" });
    nowMs += retiredKeptMs - dayMs;
    expect(await reasons({})).toBeUndefined();
    nowMs += 1000;
    await expect(list(one(), { cursor })).rejects.toMatchObject({ message: expect.stringContaining("179 days") as unknown });
  });

  it("misses nothing after a store has lost its latest changes", async () => {
    await put(site("a"));
    const listed = keys().listedSites(one().siteIds.require(await put(site("b"))).region);
    const backup = await redis.client.dumpBuffer(listed);
    await put(site("c"));
    const copy = new Copy();
    await copy.catchUp();
    await redis.client.restore(listed, 0, backup as Buffer, "REPLACE");
    nowMs += 10_000;
    await put(site("a", { name: "Later" }));
    await expectEqual(copy);
  });

  it("keeps copies equal to the directory, whatever changes while they are read over two gateways, and whoever is cut off", async () => {
    const random: Random = createRandom(testSeed());
    const dying = connections[2] as RedisConnection;
    const send = dying.sendCommand.bind(dying);
    let left = 0;
    dying.sendCommand = (command: Parameters<typeof send>[0]) => {
      if (left-- > 0) return send(command);
      command.reject(new Error("cut off"));
      return command.promise;
    };
    const copies = [
      new Copy(),
      new Copy({ countryCodes: ["SG"] }),
      new Copy({ operatorIds: operatorIds.slice(0, 1) }),
      new Copy({}, false),
    ];
    const regions = await Promise.all(
      places.map(async (place, index) => one().siteIds.require(await put(makeSite({ ...place, ref: `z${index}` }))).region),
    );
    const change = async () => {
      const records = random.bool(0.2) ? over(dying) : random.pick(gateways);
      left = random.int(0, 30);
      if (random.bool(0.1)) return await records.retiredSites.end(random.pick(regions), nowMs);
      const [operatorId, index] = [random.pick(operatorIds), random.int(0, 9)];
      // A site stays in its region and network.
      const facts = { ...(places[index % 3] as (typeof places)[0]), ref: `s${index}`, operatorId, isTest: index > 2 };
      const address = { countryCode: random.pick(["SG", "SG", "MY"]) };
      const lifecycle = random.pick([ACTIVE, ACTIVE, PLANNED, MAINTENANCE, DECOMMISSIONED]);
      await records.sites.put(makeSite(facts, { address, lifecycle, name: `N${random.int(0, 3)}` }), nowMs, LiveReservations.DRAIN);
      return undefined;
    };
    for (let round = 0; round < roundsHere({ short: 12, ci: 400 }); round++) {
      const steps = Array.from({ length: 10 }, async () => {
        await change().catch((error: Error) => {
          if (error.message !== "cut off") expect((error as { reason?: string }).reason).toBe("CONFLICT");
        });
      });
      // Each copy has one reader, beside the changes.
      const readers = copies.map(async (copy) => {
        for (let pages = random.int(0, 5); pages > 0; pages--) await copy.read(random.pick(gateways), random.int(1, 4), random.bool(0.2));
      });
      await Promise.all([...steps, ...readers]);
      for (const copy of copies) if (random.bool(0.5)) await expectEqual(copy);
      nowMs += random.int(0, 30) * dayMs;
    }
    nowMs += retiredKeptMs;
    for (const region of regions) await one().retiredSites.end(region, nowMs);
    for (const copy of [...copies, new Copy()]) await expectEqual(copy);
  });
});
