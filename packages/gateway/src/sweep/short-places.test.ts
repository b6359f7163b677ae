import { LiveReservations, type Reservation, ReservationState, type Site, SiteChangeKind, SiteLifecycle } from "@petak/protocol";
import { type StoredSite, toldEveryMs } from "@petak/records";
import type { RedisConnection } from "@petak/redis";
import { atEveryDeath, dies, useRedis } from "@petak/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createToldWorld, type ToldWorld } from "./testing/told-world.ts";

const redis = useRedis();
const { PLACES, PAUSED } = SiteChangeKind;
let connection: RedisConnection;
let world: ToldWorld;

beforeEach(async () => {
  connection = await redis.connect();
  world = createToldWorld(connection, `${redis.keyPrefix}petak`);
});
afterEach(() => connection.disconnect());

/** Reports the places of a site with one size class. */
async function report(siteId: string, occupied: number, outOfService: number, records = world.steady): Promise<void> {
  world.clock.advance(1);
  const observedAtMs = world.clock.now();
  const stored = (await world.steady.sites.find(siteId)) as StoredSite;
  const classesOf = () => [{ occupied, outOfService }];
  expect(await records.capacityReports.record({ siteId, observedAtMs, ttlS: 300, classesOf }, stored, observedAtMs)).toBe("recorded");
}

/** Four reservations at a site with four places, the oldest first. */
async function fullSite(): Promise<{ site: Site; siteId: string; holders: Reservation[] }> {
  const { site, siteId } = await world.newSite(4);
  const holders: Reservation[] = [];
  for (let made = 0; made < 4; made++) {
    const held = await world.hold(siteId);
    holders.push(made < 2 ? await world.confirm(held) : held);
    world.clock.advance(1);
  }
  return { site, siteId, holders };
}

/** Of each reservation, what it was told: kinds, whether it lacks a place, and whether it can be kept. */
async function told(holders: readonly Reservation[]): Promise<unknown[]> {
  const all = await Promise.all(holders.map((one) => world.changesTold(one)));
  return all.map((changes) => changes.map(({ kinds, lacksPlace, canBeKept }) => [...kinds, lacksPlace, canBeKept]));
}

const lost = [PLACES, true, false];
const back = [PLACES, false, true];

describe("of the reservations at a site with fewer places in working order than are held", () => {
  it("the last that were made are told, and again when there is a place", async () => {
    const { siteId, holders } = await fullSite();
    await report(siteId, 0, 2);
    await world.tell();
    expect(await told(holders)).toEqual([[], [], [lost], [lost]]);
    world.clock.advance(toldEveryMs);
    await report(siteId, 0, 1);
    await world.tell();
    expect(await told(holders)).toEqual([[], [], [lost, back], [lost]]);
    world.clock.advance(toldEveryMs);
    // There is nothing to tell, which puts off nothing.
    await world.tell();
    // The first leaves, so that there is one place for the last.
    const { reservationId } = holders[0] as Reservation;
    const first = (await world.steady.reservations.find(reservationId)) as Reservation;
    const after = { ...first, state: ReservationState.CANCELLED, revision: first.revision + 1 };
    await world.steady.reservations.apply({ before: first, after, heldChange: -1, occupiedChange: 0, deadlineMs: null, events: [] });
    await world.tell();
    expect((await told(holders))[3]).toEqual([lost, back]);
    await report(siteId, 0, 0);
    world.clock.advance(toldEveryMs);
    await world.tell();
    expect(await world.steady.siteChanges.pending(world.region, world.clock.now() + toldEveryMs)).toEqual([]);
  });

  it("none is told of a dip that is over within the minute after the last telling", async () => {
    const { siteId, holders } = await fullSite();
    await report(siteId, 0, 1);
    await world.tell();
    for (let dip = 0; dip < 20; dip++) {
      await report(siteId, 0, dip % 2 === 0 ? 0 : 4);
      await world.tell();
    }
    await report(siteId, 0, 1);
    world.clock.advance(toldEveryMs);
    await world.tell();
    expect(await told(holders)).toEqual([[], [], [], [lost]]);
  });

  it("each is told exactly once, wherever the gateway dies", async () => {
    await atEveryDeath({ connection, commandsMin: 10 }, async (dying, { atCommand, isDone }) => {
      // What earlier deaths left would make each telling longer than the one before.
      world = createToldWorld(connection, `${redis.keyPrefix}${atCommand}-${isDone}`);
      const { siteId, holders } = await fullSite();
      const mortal = world.recordsOver(dying);
      let hasDied = await dies(report(siteId, 0, 2, mortal));
      if (hasDied) await report(siteId, 0, 2);
      else hasDied = await dies(world.tell(mortal));
      await world.tell();
      world.clock.advance(toldEveryMs);
      await world.tell();
      expect(await told(holders)).toEqual([[], [], [lost], [lost]]);
      await report(siteId, 0, 0);
      return hasDied;
    });
  });

  it("it stays so for who is told of other changes meanwhile, and nobody is told twice by two gateways", async () => {
    const { site, siteId, holders } = await fullSite();
    await report(siteId, 0, 1);
    await world.tell();
    world.clock.advance(toldEveryMs);
    await world.steady.sites.put({ ...site, lifecycle: SiteLifecycle.MAINTENANCE }, world.clock.now(), LiveReservations.REFUSE);
    await report(siteId, 0, 3);
    const other = await redis.connect();
    await Promise.all([world.tell(), world.tell(world.recordsOver(other))]);
    other.disconnect();
    const paused = [PAUSED, false, false];
    expect(await told(holders)).toEqual([
      [paused],
      [paused, [PLACES, true, false]],
      [paused, [PLACES, true, false]],
      [lost, [PAUSED, true, false]],
    ]);
  });
});

describe("places that others occupy", () => {
  it("count once two reports a minute apart show it: a deposit that is still being reported looks the same", async () => {
    const { siteId, holders } = await fullSite();
    await report(siteId, 1, 0);
    await world.tell();
    expect(await told(holders)).toEqual([[], [], [], []]);
    world.clock.advance(toldEveryMs + 1000);
    await report(siteId, 1, 0);
    await world.tell();
    expect(await told(holders)).toEqual([[], [], [], [lost]]);
  });
});
