import { amend, participantParty } from "@petak/lifecycle";
import { EventType, LiveReservations, type Reservation, ReservationState, type Site, SiteLifecycle } from "@petak/protocol";
import { toldEveryMs } from "@petak/records";
import type { RedisConnection } from "@petak/redis";
import { atEveryDeath, dies, makeSite, useRedis } from "@petak/testkit";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createToldWorld, type ToldWorld } from "./testing/told-world.ts";

const redis = useRedis();
const position = { latitude: 1.3, longitude: 103.8 };
const { MAINTENANCE, ACTIVE } = SiteLifecycle;
let connection: RedisConnection;
let world: ToldWorld;
let { clock, region, steady, recordsOver, tell, newSite, hold, confirm } = {} as ToldWorld;

beforeEach(async () => {
  connection = await redis.connect();
  beginWorld("petak");
});

function beginWorld(name: string): void {
  world = createToldWorld(connection, `${redis.keyPrefix}${name}`);
  ({ clock, region, steady, recordsOver, tell, newSite, hold, confirm } = world);
}
afterEach(() => connection.disconnect());

/** The kinds of changes of which a reservation's chain tells. */
async function toldTo(reservation: Reservation): Promise<unknown[]> {
  const chain = await steady.events.chain(reservation.reservationId);
  return chain.flatMap(({ type, siteChange }) => (siteChange === undefined ? [] : [[type, siteChange.kinds]]));
}

describe("a change of a site", () => {
  it("is told to each of its reservations exactly once, wherever the gateway dies", async () => {
    await atEveryDeath({ connection, commandsMin: 20 }, async (dying, { atCommand, isDone }) => {
      // What earlier deaths left would make each telling longer than the one before.
      beginWorld(`${atCommand}-${isDone}`);
      const { site, siteId } = await newSite();
      const elsewhere = await hold((await newSite()).siteId);
      const holders = [await hold(siteId, 1000), await hold(siteId), await confirm(await hold(siteId))];
      const mortal = recordsOver(dying);
      const paused = { ...site, lifecycle: MAINTENANCE };
      let hasDied = await dies(mortal.sites.put(paused, clock.now()));
      if (hasDied) await steady.sites.put(paused, clock.now());
      else hasDied = await dies(tell(mortal));
      await tell();
      await tell();
      for (const one of holders) expect(await toldTo(one)).toEqual([[EventType.RESERVATION_SITE_CHANGED, [1]]]);
      expect(await toldTo(elsewhere)).toEqual([]);
      expect(await steady.siteChanges.pending(region, clock.now() + toldEveryMs)).toEqual([]);
      return hasDied;
    });
  });

  it("is told by several gateways at once exactly once, to hundreds of holds of one instant among those of other sites", async () => {
    const { site, siteId } = await newSite();
    const other = await newSite();
    const holders = await Promise.all(Array.from({ length: 300 }, () => hold(siteId)));
    const others = await Promise.all(Array.from({ length: 300 }, () => hold(other.siteId)));
    await steady.sites.put({ ...site, lifecycle: MAINTENANCE }, clock.now());
    const connections = await Promise.all([redis.connect(), redis.connect()]);
    await Promise.all(connections.map((one) => tell(recordsOver(one))));
    for (const one of connections) one.disconnect();
    const told = await Promise.all(holders.map(toldTo));
    const each = [EventType.RESERVATION_SITE_CHANGED, [1]];
    expect(told).toEqual(holders.map(() => [each]));
    expect((await Promise.all(others.map(toldTo))).flat()).toEqual([]);
  });

  it("is told to a soft hold that ends after many others, though the site has a hard hold too", async () => {
    const { site, siteId } = await newSite();
    const other = await newSite();
    const hard = await hold(siteId, 1000);
    const named = amend(
      hard,
      { heldCompartmentId: "c-1" },
      { type: EventType.RESERVATION_EXTENDED, actor: participantParty(hard) },
      clock.now(),
    );
    await steady.reservations.apply({ ...named, isAllowed: true });
    await Promise.all(Array.from({ length: 260 }, () => hold(other.siteId, 2000)));
    const soft = await hold(siteId);
    await steady.sites.put({ ...site, lifecycle: MAINTENANCE }, clock.now());
    await tell();
    for (const one of [hard, soft]) expect(await toldTo(one)).toEqual([[EventType.RESERVATION_SITE_CHANGED, [1]]]);
  });

  it("is told as one with others that came before anybody was told, and not at all if the site is as it was", async () => {
    const { site, siteId } = await newSite();
    const held = await hold(siteId);
    const position = makeSite({ latitude: 1.31, longitude: 103.8 }).position as Site["position"];
    await steady.sites.put({ ...site, lifecycle: MAINTENANCE }, clock.now());
    await steady.sites.put({ ...site, lifecycle: ACTIVE }, clock.now());
    await tell();
    expect(await toldTo(held)).toEqual([]);
    clock.advance(toldEveryMs);
    await steady.sites.put({ ...site, lifecycle: MAINTENANCE }, clock.now());
    await steady.sites.put({ ...site, position, lifecycle: MAINTENANCE }, clock.now(), LiveReservations.DRAIN);
    await tell();
    expect(await toldTo(held)).toEqual([[EventType.RESERVATION_SITE_CHANGED, [1, 4]]]);
  });

  it("that cancels leaves those alone that were made after it", async () => {
    const { site, siteId } = await newSite();
    const [before, sure] = [await hold(siteId), await confirm(await hold(siteId))];
    const moved = { ...site, position: makeSite({ ...position, latitude: 1.32 }).position } as Site;
    await steady.sites.put(moved, clock.now(), LiveReservations.CANCEL);
    const after = await hold(siteId);
    await tell();
    const states = await Promise.all([before, sure, after].map(({ reservationId }) => steady.reservations.find(reservationId)));
    expect(states.map((one) => one?.state)).toEqual([ReservationState.CANCELLED, ReservationState.CANCELLED, ReservationState.HELD]);
    expect((await steady.sites.find(siteId))?.counts[0]).toMatchObject({ held: 1 });
  });

  it("is refused while too many earlier ones have not been told", async () => {
    const { site, siteId } = await newSite();
    // Long facts fill the space soon.
    const lines = Array.from({ length: 4 }, () => "A long line of an address. ".repeat(7));
    Object.assign(site, makeSite({ ...position, ref: site.operatorSiteRef }, { address: { countryCode: "SG", lines } }));
    await steady.sites.put(site, clock.now());
    const held = await hold(siteId);
    let refusal: unknown;
    for (let change = 0; refusal === undefined && change < 200; change++) {
      const lifecycle = change % 2 === 0 ? MAINTENANCE : ACTIVE;
      refusal = await steady.sites.put({ ...site, lifecycle }, clock.now()).then(
        () => undefined,
        (error: unknown) => error,
      );
    }
    expect(refusal).toMatchObject({ reason: "CONFLICT" });
    await tell();
    expect(await steady.siteChanges.pending(region, clock.now() + toldEveryMs)).toEqual([]);
    clock.advance(toldEveryMs);
    await steady.sites.put({ ...site, name: "Another name", lifecycle: MAINTENANCE }, clock.now());
    await tell();
    expect((await toldTo(held)).at(-1)).toEqual([EventType.RESERVATION_SITE_CHANGED, [1]]);
  });

  it("is told at once, and what follows within a minute as one, so that a site that changes for ever costs one pass a minute", async () => {
    const { site, siteId } = await newSite();
    const held = await hold(siteId);
    const visits = vi.spyOn(steady.siteHolders, "visit");
    for (let change = 0; change < 61; change++) {
      await steady.sites.put({ ...site, lifecycle: change % 2 === 0 ? MAINTENANCE : ACTIVE }, clock.now());
      await tell();
      clock.advance(1000);
    }
    await tell();
    expect(visits).toHaveBeenCalledTimes(2);
    expect(await toldTo(held)).toEqual([[EventType.RESERVATION_SITE_CHANGED, [1]]]);
    clock.advance(1000);
    // A change that cancels is not put off.
    const away = { ...site, position: makeSite({ ...position, latitude: 1.32 }).position } as Site;
    await steady.sites.put(away, clock.now(), LiveReservations.CANCEL);
    await tell();
    expect((await steady.reservations.find(held.reservationId))?.state).toBe(ReservationState.CANCELLED);
  });
});
