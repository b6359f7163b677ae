import { asMade, namedCompartment } from "@petak/lifecycle";
import { HoldKind, parseSiteId, type Region, type Reservation, ReservationState } from "@petak/protocol";
import { createKeys } from "@petak/redis";
import { Crash, crashing, createRandom, type Random, roundsHere, testSeed, testStoreCode, useRedis } from "@petak/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { createRecords, type Records } from "../records.ts";
import { actualHolds, countedHolds } from "../testing/held-counts.ts";
import { holdAt, siteWithNames } from "./testing/named-site.ts";

const redis = useRedis();
const origin = { latitude: 1.35, longitude: 103.82 };
const waves = roundsHere({ short: 60, ci: 120 });
/** The actions of one wave, which run concurrently. */
const actsAtOnce = 24;
const installed = [4, 3];

let random: Random;
let steady: Records[];
let mortal: Records[];

beforeEach(async () => {
  random = createRandom(testSeed());
  const connections = await Promise.all(Array.from({ length: 6 }, () => redis.connect()));
  const prefix = `${redis.keyPrefix}petak`;
  steady = connections.slice(0, 3).map((connection) => createRecords({ redis: connection, storeCode: testStoreCode, prefix }));
  mortal = connections
    .slice(3)
    .map((connection) => createRecords({ redis: crashing(connection, random.fork(), 0.1), storeCode: testStoreCode, prefix }));
  return () => {
    for (const connection of connections) connection.disconnect();
  };
});

/** Performs a request as a client does: after a crash it is repeated at a gateway that does not crash. */
async function survived<Result>(work: (records: Records) => Promise<Result>): Promise<Result> {
  try {
    return await work(random.pick(random.bool() ? mortal : steady));
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
    seen.crashed += 1;
    return await work(random.pick(steady));
  }
}

const seen = { hard: 0, soft: 0, none: 0, ended: 0, deposited: 0, elsewhere: 0, intoPromised: 0, collected: 0, crashed: 0, repeated: 0 };

/** A site, the real content of its doors, and the reservations that have not ended. */
interface ModelSite {
  siteId: string;
  /** The compartments with a parcel. */
  full: Set<string>;
  live: Map<string, Reservation>;
}

/** The first response to each request. */
const answers = new Map<number, { siteId: string; kind: HoldKind; reservation: Reservation }>();

async function hold(site: ModelSite, number: number): Promise<void> {
  const kind = random.bool(0.6) ? HoldKind.HARD : HoldKind.SOFT;
  const outcome = await survived((records) => holdAt(records, site.siteId, origin, number, kind));
  if (outcome.tag === "none") {
    seen.none += 1;
    return;
  }
  const { reservation } = outcome;
  seen[kind === HoldKind.HARD ? "hard" : "soft"] += 1;
  answers.set(number, { siteId: site.siteId, kind, reservation });
  site.live.set(reservation.reservationId, reservation);
}

/** Applies a transition once, even if the gateway crashes. */
async function move(
  site: ModelSite,
  before: Reservation,
  change: Partial<Reservation>,
  heldChange: number,
  occupiedChange: number,
): Promise<void> {
  const after = { ...before, ...change, revision: before.revision + 1 };
  await survived(async (records) => {
    const place = { heldChange, occupiedChange, movedAtMs: 1 };
    const { tag } = await records.reservations.apply({ before, after, ...place, events: [] });
    if (tag !== "done") expect(await records.reservations.find(before.reservationId)).toEqual(after);
  });
  if (namedCompartment(after) === "" && occupiedChange <= 0) site.live.delete(before.reservationId);
  else site.live.set(before.reservationId, after);
}

/** Deposits a parcel: the agent opens the promised door; an agent that does not know of promises opens any empty door. */
async function deposit(site: ModelSite, before: Reservation): Promise<void> {
  const promised = new Set(
    [...site.live.values()].map(({ heldCompartmentId, state }) => (state === ReservationState.HELD ? heldCompartmentId : "")),
  );
  const knows = random.bool(0.8);
  const count = before.sizeClassId === "S" ? installed[0] : installed[1];
  const doors = Array.from({ length: count ?? 0 }, (_, door) => `${before.sizeClassId}${door}`);
  const empty = doors.filter((door) => !site.full.has(door));
  const { heldCompartmentId } = before;
  const door =
    heldCompartmentId === ""
      ? random.pick(empty.filter((one) => !knows || !promised.has(one)).concat("")) || empty[0]
      : knows
        ? empty.find((one) => one === heldCompartmentId)
        : empty[0];
  if (door === undefined) {
    seen.ended += 1;
    await move(site, before, { state: ReservationState.NO_SHOW }, -1, 0);
    return;
  }
  site.full.add(door);
  seen.deposited += 1;
  if (heldCompartmentId !== "" && door !== heldCompartmentId) seen.elsewhere += 1;
  if (door !== heldCompartmentId && promised.has(door)) seen.intoPromised += 1;
  await move(site, before, { state: ReservationState.DEPOSITED, compartmentId: door }, -1, 1);
}

async function goOn(site: ModelSite, before: Reservation): Promise<void> {
  if (before.state === ReservationState.DEPOSITED) {
    seen.collected += 1;
    await move(site, before, { state: ReservationState.COLLECTED }, 0, -1);
    site.full.delete(before.compartmentId);
  } else if (random.bool(0.4)) {
    seen.ended += 1;
    await move(site, before, { state: random.pick([ReservationState.EXPIRED, ReservationState.CANCELLED]) }, -1, 0);
  } else await deposit(site, before);
}

async function repeat(): Promise<void> {
  const number = random.pick([...answers.keys()]);
  const { siteId, kind, reservation } = answers.get(number) as { siteId: string; kind: HoldKind; reservation: Reservation };
  seen.repeated += 1;
  expect(await holdAt(random.pick(steady), siteId, origin, number, kind)).toEqual({ tag: "repeated", reservation });
  expect(asMade(reservation)).toEqual(reservation);
}

/** The reservations that have each compartment by name, by the model. */
function holders({ live }: ModelSite): Map<string, string[]> {
  const named = [...live.values()].filter((reservation) => namedCompartment(reservation) !== "");
  const byName = Map.groupBy(named, namedCompartment);
  return new Map([...byName].map(([name, all]) => [name, all.map(({ reservationId }) => reservationId).sort()]));
}

async function storedHolders(siteId: string): Promise<Map<string, string[]>> {
  const { region, siteNumber } = parseSiteId(siteId) as { region: Region; siteNumber: number };
  const fields = await redis.client.hgetall(createKeys(`${redis.keyPrefix}petak`).siteCompartments(region, siteNumber) ?? "");
  const idsOf = (handles: string) =>
    handles
      .trimEnd()
      .split(" ")
      .map((handle) => `res_${region}_${handle}`);
  return new Map(Object.entries(fields).map(([name, handles]) => [name, idsOf(handles).sort()]));
}

describe("a rush of hard and soft holds", () => {
  it("promises each compartment once, frees every compartment, and repeats its responses, whichever gateway crashes at whichever step", {
    timeout: 300_000,
  }, async () => {
    const sites: ModelSite[] = [];
    for (let index = 0; index < 3; index++) {
      const classes: [string, number, number, number, number, number][] = [
        ["S", 310, 110, 410, 20_000, installed[0] ?? 0],
        ["L", 400, 200, 500, 20_000, installed[1] ?? 0],
      ];
      const { siteId } = await (steady[0] as Records).sites.put(siteWithNames({ ...origin, ref: `${index}`, classes }), 0);
      sites.push({ siteId, full: new Set(), live: new Map() });
    }
    let requests = 0;
    for (let wave = 0; wave < waves; wave++) {
      const before = sites.map((site) => holders(site));
      const going = sites.flatMap((site) => [...site.live.values()].filter(() => random.bool(0.4)).map((one) => () => goOn(site, one)));
      const holding = Array.from({ length: actsAtOnce - going.length }, () => () => hold(random.pick(sites), requests++));
      const repeating = answers.size === 0 ? [] : [repeat, repeat];
      await Promise.all(random.shuffle([...going, ...holding, ...repeating]).map((act) => act()));

      for (const [index, site] of sites.entries()) {
        const now = holders(site);
        expect(await storedHolders(site.siteId)).toEqual(now);
        const promises = [...site.live.values()].filter(({ state }) => state === ReservationState.HELD);
        const doors = promises.map(({ heldCompartmentId }) => heldCompartmentId).filter((door) => door !== "");
        expect(new Set(doors).size).toBe(doors.length);
        for (const { heldCompartmentId, reservationId } of promises) {
          // A reservation that had the compartment before this wave and still has it had it when it was promised.
          const earlier = before[index]?.get(heldCompartmentId) ?? [];
          if (!earlier.includes(reservationId)) expect(earlier.filter((id) => now.get(heldCompartmentId)?.includes(id))).toEqual([]);
        }
        const stored = await (steady[0] as Records).sites.find(site.siteId);
        for (const [place, sizeClassId] of ["S", "L"].entries()) {
          const ofClass = [...site.live.values()].filter((one) => one.sizeClassId === sizeClassId);
          const held = ofClass.filter(({ state }) => state === ReservationState.HELD).length;
          expect(stored?.counts[place]).toMatchObject({ installed: installed[place], held, occupied: ofClass.length - held });
        }
      }
    }

    const keys = createKeys(`${redis.keyPrefix}petak`);
    for (const region of new Set(sites.map(({ siteId }) => parseSiteId(siteId)?.region ?? ""))) {
      expect(await countedHolds(redis.client, keys, region)).toEqual(await actualHolds(redis.client, keys, steady[0] as Records, region));
    }
    // A free place has a free compartment, and there are no more named compartments taken than places.
    for (const site of sites) {
      for (const one of [...site.live.values()]) {
        if (one.state === ReservationState.DEPOSITED) await move(site, one, { state: ReservationState.COLLECTED }, 0, -1);
        else await move(site, one, { state: ReservationState.EXPIRED }, -1, 0);
      }
      expect(await storedHolders(site.siteId)).toEqual(new Map());
      const doors: string[] = [];
      for (let number = 0; number < 8; number++) {
        const outcome = await holdAt(steady[0] as Records, site.siteId, origin, requests++);
        if (outcome.tag !== "none") doors.push(outcome.reservation.heldCompartmentId);
      }
      expect(doors).toEqual(["S0", "S1", "S2", "S3", "L0", "L1", "L2"]);
    }
    // Otherwise the waves would have tested nothing.
    for (const [what, count] of Object.entries(seen)) expect([what, count > 0]).toEqual([what, true]);
    process.stdout.write(`${waves} waves: ${JSON.stringify(seen)}\n`);
  });
});
