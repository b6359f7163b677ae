import { PetakError, type Reservation, ReservationState } from "@petak/protocol";
import type { RedisConnection } from "@petak/redis";
import { createKeys } from "@petak/redis";
import {
  Crash,
  crashing,
  createRandom,
  dyingAt,
  makeSite,
  type Random,
  roundsHere,
  testSeed,
  testStoreCode,
  useRedis,
} from "@petak/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createRecords, type Records } from "../records.ts";
import { freeToPromise } from "../sites/site-counts.ts";
import { actualHolds, countedHolds } from "../testing/held-counts.ts";
import { unfairIn, type Wanted } from "./testing/fairness.ts";
import { end, regionOf, reserveOrWait, type Wish } from "./testing/waiting.ts";

const attempts = roundsHere({ short: 300, ci: 1500 });
const clients = 24;
const nowMs = 1_800_000_000_000;
const edges = { S: 100, M: 200, L: 300 } as const;

const redis = useRedis();
let connections: RedisConnection[];
let steady: Records[];
let mortal: Records[];
let random: Random;

const prefix = () => `${redis.keyPrefix}petak`;

beforeEach(async () => {
  random = createRandom(testSeed());
  connections = await Promise.all(Array.from({ length: 6 }, () => redis.connect()));
  for (const connection of connections) connection.setMaxListeners(0);
  steady = connections.slice(0, 3).map((connection) => createRecords({ redis: connection, storeCode: testStoreCode, prefix: prefix() }));
  mortal = connections
    .slice(3)
    .map((connection) => createRecords({ redis: crashing(connection, random.fork(), 0.05), storeCode: testStoreCode, prefix: prefix() }));
});
afterEach(() => {
  for (const connection of connections) connection.disconnect();
});

/** Changes the number of installed places, as operators do concurrently with requests. */
async function changePlaces(records: Records): Promise<string> {
  return await putSite(random.int(0, 4), [random.int(1, 2), random.int(1, 3), random.int(0, 2)], records);
}

/** The errors that are expected: places in use cannot be removed, and concurrent writers may conflict. */
function refusedInUse(error: unknown): void {
  if (!(error instanceof PetakError) || !["CAPACITY_IN_USE", "CONFLICT"].includes(error.reason)) throw error;
}

async function putSite(index: number, places: readonly [number, number, number], records = steady[0] as Records): Promise<string> {
  const classes = Object.entries(edges).map(
    ([id, edgeMm], at) => [id, edgeMm, edgeMm, edgeMm, 1000, places[at] ?? 0] as [string, number, number, number, number, number],
  );
  const site = makeSite({ latitude: 1.35 + index / 500, longitude: 103.82, ref: `${index}`, classes });
  return (await records.sites.put(site, nowMs)).siteId;
}

const fitting = (edgeMm: number) =>
  Object.entries(edges)
    .filter(([, edge]) => edge >= edgeMm)
    .map(([id]) => id);

/** Performs a request as a client does: after a crash it is repeated at a gateway that does not crash. */
async function survived<Result>(work: (records: Records) => Promise<Result>): Promise<{ result: Result; hasCrashed: boolean }> {
  try {
    return { result: await work(random.pick(random.bool(0.5) ? mortal : steady)), hasCrashed: false };
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
    return { result: await work(random.pick(steady)), hasCrashed: true };
  }
}

async function reservationOf(records: Records, wish: Wish): Promise<Reservation> {
  const outcome = await reserveOrWait(records, wish, nowMs);
  if (outcome.tag === "none") throw new Error("neither held nor waiting");
  return outcome.reservation;
}

/** Checks the invariants of sites and their reservations. */
async function expectSound(siteIds: readonly string[], made: Iterable<string>, wantedBy: ReadonlyMap<string, Wanted>): Promise<void> {
  const [plain] = steady as [Records];
  const standing = (await Promise.all([...made].map((id) => plain.reservations.find(id)))).filter((one) => one !== undefined);
  const waiting = standing.filter(({ state }) => state === ReservationState.QUEUED);
  const held = standing.filter(({ state }) => state === ReservationState.HELD);
  for (const siteId of siteIds) {
    const stored = await plain.sites.find(siteId);
    for (const [index, { sizeClassId, installed }] of (stored?.site.sizeClasses ?? []).entries()) {
      const count = stored?.counts[index];
      const holders = held.filter((one) => one.siteId === siteId && one.sizeClassId === sizeClassId).length;
      expect({ siteId, sizeClassId, ...count }).toMatchObject({ installed, held: holders, occupied: 0 });
      expect(holders).toBeLessThanOrEqual(installed);
      const beside = waiting.filter(({ reservationId }) => {
        const wanted = wantedBy.get(reservationId);
        return wanted?.siteIds.includes(siteId) === true && wanted.fittingAt(siteId).includes(sizeClassId);
      });
      if (count !== undefined && freeToPromise(count) > 0) expect(beside).toEqual([]);
    }
  }
  const region = regionOf(siteIds[0] ?? "");
  const keys = createKeys(prefix());
  expect(await redis.client.hlen(keys.waiting(region))).toBe(waiting.length);
  const atSites = await Promise.all(siteIds.map((siteId) => plain.queues.sites(regionOf(siteId))));
  expect(new Set(atSites.flat())).toEqual(new Set(waiting.flatMap(({ queuedSiteIds }) => queuedSiteIds)));
  expect(await redis.client.zcard(keys.deadlines(region))).toBe(waiting.length + held.length);
  expect(await countedHolds(redis.client, keys, region)).toEqual(await actualHolds(redis.client, keys, plain, region));
  expect(await unfairIn(plain, region, wantedBy)).toEqual([]);
}

describe("a rush for full sites", () => {
  it("is served in order, with no place taken twice and none free for a queued reservation, whichever gateway crashes at whichever step", {
    timeout: 600_000,
  }, async () => {
    const siteIds: string[] = [];
    for (let index = 0; index < 5; index++) siteIds.push(await putSite(index, [1, random.int(1, 2), random.int(0, 1)]));
    const wantedBy = new Map<string, Wanted>();
    const live = new Set<string>();
    const made = new Set<string>();
    const seen = { held: 0, queued: 0, ended: 0, crashed: 0 };
    let next = 0;
    async function client(): Promise<void> {
      while (next < attempts) {
        const number = next;
        next += 1;
        const edgeMm = random.pick([100, 200, 250]);
        const wanted = random.shuffle(siteIds).slice(0, random.int(1, 3));
        const wish: Wish = { number, siteIds: wanted, edgeMm, participantId: `par_${number % 7}` };
        const { result, hasCrashed } = await survived((records) => reservationOf(records, wish));
        if (hasCrashed) seen.crashed += 1;
        if (random.bool(0.05)) await survived(changePlaces).catch(refusedInUse);
        if (random.bool(0.1)) expect(await reservationOf(random.pick(steady), wish)).toEqual(result);
        const { reservationId } = result;
        expect(made.has(reservationId)).toBe(false);
        made.add(reservationId);
        live.add(reservationId);
        wantedBy.set(reservationId, { siteIds: wanted, fittingAt: () => fitting(edgeMm) });
        if (result.state === ReservationState.QUEUED) seen.queued += 1;
        else seen.held += 1;
        if (live.size > 20) {
          const id = random.pick([...live]);
          live.delete(id);
          // A reservation that changes concurrently is as good as before.
          let isEnded = false;
          for (let attempt = 0; attempt < 20 && !isEnded; attempt++) {
            const ended = await survived((records) => end(records, id, nowMs));
            isEnded = ended.result || (await (steady[0] as Records).reservations.find(id))?.state === ReservationState.CANCELLED;
          }
          expect(isEnded).toBe(true);
          seen.ended += 1;
        }
      }
    }
    await Promise.all(Array.from({ length: clients }, client));
    await expectSound(siteIds, made, wantedBy);
    expect(seen.queued).toBeGreaterThan(attempts / 10);
    expect(seen.crashed).toBeGreaterThan(attempts / 100);
    for (const id of live) await end(steady[0] as Records, id, nowMs);
    await expectSound(siteIds, made, wantedBy);
    process.stdout.write(`${attempts} attempts: ${JSON.stringify(seen)}\n`);
  });
});

describe("a gateway that crashes", () => {
  it("at any command while it queues a reservation or frees a place leaves a state that a repeated request completes", async () => {
    const [plain] = steady as [Records];
    const [connection] = connections as [RedisConnection];
    const [first, second] = [await putSite(0, [0, 1, 0]), await putSite(1, [0, 1, 0])];
    const siteIds = [first, second];
    const wantedBy = new Map<string, Wanted>();
    const made: string[] = [];
    let number = 0;
    const wish = (): Wish => ({ number: number++, siteIds, edgeMm: 200 });
    const note = ({ reservationId }: Reservation) => {
      made.push(reservationId);
      wantedBy.set(reservationId, { siteIds, fittingAt: () => fitting(200) });
    };
    let atCommand = 0;
    for (let hasDied = true; hasDied; ) {
      atCommand += 1;
      hasDied = false;
      for (const isDone of [false, true]) {
        const held = [await reservationOf(plain, wish()), await reservationOf(plain, wish())];
        held.forEach(note);
        const wanted = wish();
        const dying = () =>
          createRecords({ redis: dyingAt(connection, { atCommand, isDone }).connection, storeCode: testStoreCode, prefix: prefix() });
        const joining = await reservationOf(dying(), wanted).catch((error: unknown) => {
          if (!(error instanceof Crash)) throw error;
          return undefined;
        });
        if (joining === undefined) hasDied = true;
        const waiting = await reservationOf(plain, wanted);
        note(waiting);
        expect(waiting).toMatchObject({ state: ReservationState.QUEUED, queuePosition: 0 });
        expect(await reservationOf(plain, wanted)).toEqual(waiting);
        await expectSound(siteIds, made, wantedBy);
        const freed = held[1]?.reservationId ?? "";
        try {
          await end(dying(), freed, nowMs);
        } catch (error) {
          if (!(error instanceof Crash)) throw error;
          hasDied = true;
          await end(plain, freed, nowMs);
        }
        expect(await plain.reservations.find(waiting.reservationId)).toMatchObject({ state: ReservationState.HELD, siteId: second });
        await expectSound(siteIds, made, wantedBy);
        // The first response is repeated.
        expect(await reservationOf(plain, wanted)).toEqual(waiting);
        for (const id of made) await end(plain, id, nowMs);
        await expectSound(siteIds, made, wantedBy);
      }
    }
    // The test would prove nothing with hardly any commands to crash at.
    expect(atCommand).toBeGreaterThan(6);
  });
});
