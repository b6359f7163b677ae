import type { Site } from "@petak/protocol";
import { createSearchableRecords, type SearchableRecords } from "@petak/records/testing/candidates";
import { duplicateConnection, type RedisConnection } from "@petak/redis";
import { createRandom, type MoreFacts, makeSite, type Random, roundsHere, testSeed, testStoreCode, useRedis } from "@petak/testkit";
import type { Redis } from "ioredis";
import { afterEach, beforeEach, expect, it } from "vitest";
import { fittingClasses } from "../block/size-profile.ts";
import { indexCellOf, regionOfCell } from "../geo/region.ts";
import { listKeptMs } from "../h3-index/region-list.ts";
import { isAlwaysOpen, openingTimes } from "../hours/opening-times.ts";
import type { NearestQuery } from "../query/query.ts";
import { plainQuery } from "../testing/plain-query.ts";
import { isOpenAsAsked } from "./scan-context.ts";

const redis = useRedis();
const origin = { latitude: 1.3, longitude: 103.8 };
const region = regionOfCell(indexCellOf(origin));
const numbers = 2 ** 24;
const openAtMs = 1_800_000_000_000;
const needs = { refrigerated: false, minCentreHeightMm: 0, maxCentreHeightMm: 0, stepFree: false, cardPayment: false };

let connections: RedisConnection[];
let gateways: SearchableRecords[];
/** Monotonic time of all gateways, in ms beyond the real one. */
let laterMs: number;
let random: Random;
/** Invalidations that have arrived and are not processed yet, as in a process under load. */
let delayed: (() => void)[];

const now = () => performance.now() + laterMs;

/** The connections of the caches. */
let hearing: Redis[];

/** Creates a connection whose invalidations are processed late and in any order. */
function connect(server: Redis): Redis {
  const connection = duplicateConnection(server, { onError: () => undefined });
  const emit = connection.emit.bind(connection);
  connection.emit = (event: string | symbol, ...args: unknown[]) => {
    if (event !== "messageBuffer" || random.bool()) return emit(event, ...args);
    delayed.splice(random.int(0, delayed.length), 0, () => emit(event, ...args));
    return true;
  };
  hearing.push(connection);
  return connection;
}

beforeEach(async () => {
  [laterMs, delayed, hearing, random] = [0, [], [], createRandom(testSeed())];
  connections = [await redis.connect(), await redis.connect(), await redis.connect()];
  gateways = connections.map((connection) =>
    createSearchableRecords({
      redis: connection,
      storeCode: testStoreCode,
      prefix: `${redis.keyPrefix}petak`,
      indexCache: { connect, onError: () => undefined },
      now,
    }),
  );
  for (const gateway of gateways) expect(await gateway.ready(120_000)).toBe(true);
});
afterEach(() => {
  for (const gateway of gateways) gateway.stop();
  for (const connection of connections) connection.disconnect();
});

/** The sides of the sites that stay, which keep their profiles in use; the other profiles come and go. */
const stayingSides = [100, 200, 300];
const sides = [...stayingSides, 400, 500];

/** Facts of a site that has one of a few size profiles and opening hours. */
function someSite(ref: string, fromSides = sides): Site {
  const side = random.pick(fromSides);
  const openMinute = random.pick([0, 300, 600, 900]);
  const open = { openMinute, closeMinute: openMinute + 240 };
  const weekly = [1, 2, 3, 4, 5, 6, 7].map((day) => ({ openDay: day, closeDay: day, ...open }));
  const place = { latitude: 1.3 + random.int(0, 2) / 200, longitude: 103.8 };
  const openingHours = random.bool(0.3) ? { alwaysOpen: true } : { weekly };
  return makeSite({ ...place, ref, classes: [["M", side, side, side, 20_000, 4]] }, { openingHours } as MoreFacts);
}

/** Facts by site and revision. */
type History = Map<string, Site>;

function satisfies(site: Site, query: NearestQuery): boolean {
  const times = openingTimes(site.timeZone, site.openingHours);
  const isOpen = query.needs === undefined || isOpenAsAsked(query.needs, isAlwaysOpen(times) ? undefined : times);
  return isOpen && fittingClasses(query.parcel, site.sizeClasses).length > 0;
}

function someQuery(): NearestQuery {
  const side = random.pick([50, 150, 250, 350, 450]);
  const asked = { ...needs, openAtMs: openAtMs + random.int(0, 23) * 3_600_000, openWithin: undefined };
  const parcel = { widthMm: side, heightMm: side, depthMm: side, massG: 1000 };
  return plainQuery(origin, { parcel, limit: 100, radiusM: 20_000, ...(random.bool() ? { needs: asked } : {}) });
}

/** A reply with scores as pairs. */
function entriesOf(reply: readonly string[]): [member: string, score: string][] {
  return Array.from({ length: reply.length / 2 }, (_, index) => [reply[index * 2] as string, reply[index * 2 + 1] as string]);
}

/** Lets the numbers be given away again from the first, as after 16 million other entries, which take half an hour at least. */
async function passAllNumbers(): Promise<void> {
  const { keys } = gateways[0] as SearchableRecords;
  for (const uses of [keys.profileUses(region), keys.openingTimesUses(region)]) {
    const last = Number((await redis.client.hget(uses, "last")) ?? 0);
    await redis.client.hset(uses, { last: (Math.floor(last / numbers) + 1) * numbers, lap: 0 });
  }
  // A cached block is older than the last answer of its server by less than a second: what was reported before has arrived and is processed.
  await Promise.all(hearing.map((connection) => connection.ping()));
  for (const process of delayed.splice(0)) process();
  laterMs += listKeptMs * 3;
}

it("no block is evaluated with a size profile or opening hours of another time, whoever changes sites meanwhile and whatever numbers are reused", async () => {
  const history: History = new Map();
  const staying = new Map<string, Site>();
  const put = async (by: SearchableRecords, site: Site) => {
    const { siteId, revision } = await by.sites.put(site, 0);
    history.set(`${siteId} ${revision}`, site);
    return siteId;
  };
  for (let index = 0; index < 5; index++) {
    const site = someSite(`stays-${index}`, stayingSides);
    staying.set(await put(random.pick(gateways), site), site);
  }
  const search = async (by: SearchableRecords, wanted: NearestQuery) => ({ wanted, found: await by.nearest(wanted) });
  /** The sequence number of the last entry that had a number. */
  const lastOf = new Map<number, number>();
  let reused = 0;
  for (let round = 0; round < roundsHere({ short: 30, ci: 1000 }); round++) {
    const writing = ["a", "b", "c", "d", "e"].map((ref) => put(random.pick(gateways), someSite(ref)));
    const searching = Array.from({ length: 12 }, () => search(random.pick(gateways), someQuery()));
    await Promise.all(writing);
    for (const { wanted, found } of await Promise.all([...searching, ...gateways.map((gateway) => search(gateway, someQuery()))])) {
      for (const { siteId, revision } of found) {
        const site = history.get(`${siteId} ${revision}`) as Site;
        expect(satisfies(site, wanted), `${siteId} ${revision}`).toBe(true);
      }
      const ids = found.map(({ siteId }) => siteId);
      for (const [siteId, site] of staying) expect(ids.includes(siteId), siteId).toBe(satisfies(site, wanted));
    }
    for (const process of delayed.splice(0, random.int(0, delayed.length))) process();
    const { keys } = gateways[0] as SearchableRecords;
    for (const [, score] of entriesOf(await redis.client.zrange(keys.profiles(region), "0", "-1", "WITHSCORES"))) {
      const number = Number(score) % numbers;
      if ((lastOf.get(number) ?? Number(score)) < Number(score)) reused += 1;
      lastOf.set(number, Number(score));
    }
    if (random.bool(0.3)) await passAllNumbers();
  }
  expect(reused).toBeGreaterThan(0);
});
