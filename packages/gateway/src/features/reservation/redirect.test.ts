import { randomUUID } from "node:crypto";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { receiptOf } from "@petak/credential";
import { participantParty, transitionTo } from "@petak/lifecycle";
import {
  CancellationReason,
  EventType,
  OverflowPolicySchema,
  type RedirectRequest,
  RedirectRequestSchema,
  type RedirectResponse,
  type Reservation,
  ReservationState,
  Role,
  SiteLifecycle,
} from "@petak/protocol";
import type { Places, Records } from "@petak/records";
import type { RedisConnection } from "@petak/redis";
import { atEveryDeath, dies, dyingAt, type FrozenClock, makeSite, useRedis } from "@petak/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import type { ParticipantCaller } from "../../identity/index.ts";
import { testCaller } from "../../identity/testing/test-caller.ts";
import { redirect } from "./redirect.ts";
import { holdDefaultMs, openReservationWorld, type ReservationWorld } from "./testing/reservation-world.ts";

const redis = useRedis();
const origin = { latitude: 1.3, longitude: 103.8 };
const courier = testCaller(Role.COURIER);
const call = new AbortController();

let world: ReservationWorld;
let clock: FrozenClock;
let steady: ReturnType<typeof gatewayOver>;
let here: string;
let there: string;

/** @param meanwhile runs after the new place has been taken. Default: nothing */
function gatewayOver(connection: RedisConnection, meanwhile: () => Promise<unknown> = async () => undefined) {
  const { records, siteCache, dependencies } = world.over(connection);
  const places: Places = {
    ...dependencies.places,
    async take(...asked) {
      const taken = await dependencies.places.take(...asked);
      await meanwhile();
      return taken;
    },
  };
  const redirectWith = (...asked: RedirectArguments) => redirect({ ...dependencies, places }, ...asked);
  return { records, siteCache, redirect: redirectWith };
}

type RedirectArguments = [request: RedirectRequest, caller: ParticipantCaller, call: { signal: AbortSignal }];

beforeEach(async () => {
  world = await openReservationWorld(redis, courier);
  clock = world.clock;
  steady = gatewayOver(world.connection);
  here = await world.putSite(2);
  there = await world.putSite(2, { ref: "there", latitude: 1.31 });
});

/** Makes a reservation of the courier at the site `here`. */
const holdHere = () => world.steady.reserve(here, { partnerReference: "order-7" });

async function move(reservationId: string, state: ReservationState, change: Partial<Reservation> = {}): Promise<Reservation> {
  const before = (await steady.records.reservations.find(reservationId)) as Reservation;
  const moved = transitionTo(before, { state, ...change }, { actor: participantParty(courier) }, clock.now());
  const transition = await world.receipts.attach(before, moved);
  const place = { movedAtMs: clock.now(), deadlineMs: null };
  await steady.records.reservations.apply({ ...transition, ...place });
  return transition.after;
}

const confirm = (reservationId: string) =>
  move(reservationId, ReservationState.CONFIRMED, { depositUntil: timestampFromMs(clock.now() + 3_600_000) });

function toNearest(reservationId: string, more: MessageInitShape<typeof RedirectRequestSchema> = {}) {
  return create(RedirectRequestSchema, {
    requestId: randomUUID(),
    reservationId,
    place: { case: "nearest", value: { origin } },
    reason: CancellationReason.REROUTED,
    ...more,
  } as MessageInitShape<typeof RedirectRequestSchema>);
}

async function heldAt(records: Records, siteId: string): Promise<number | undefined> {
  return (await records.sites.find(siteId))?.counts[0]?.held;
}

/** Expects a complete redirection, whatever failed before. */
async function expectRedirected(old: Reservation, { reservation, redirected }: RedirectResponse): Promise<void> {
  const { records } = steady;
  const newId = reservation?.reservationId ?? "";
  expect(redirected).toMatchObject({ reservationId: old.reservationId, state: ReservationState.CANCELLED, redirectedTo: newId });
  expect(reservation).toMatchObject({
    siteId: there,
    redirectedFrom: old.reservationId,
    partnerReference: "order-7",
    state: old.state,
    sizeClassId: "M",
  });
  expect(reservation?.depositUntil).toEqual(old.depositUntil);
  expect(await records.reservations.find(newId)).toEqual(reservation);
  expect([await heldAt(records, here), await heldAt(records, there)]).toEqual([0, 1]);
  const recorded = await records.events.readAfter(newId.slice(4, 10), "0-0", 100);
  const transitions = recorded.map(({ event }) => [event.type, event.reservationId, event.relatedReservationId]);
  expect(transitions.filter(([, , related]) => related !== "")).toEqual([
    [EventType.RESERVATION_HELD, newId, old.reservationId],
    [EventType.RESERVATION_CANCELLED, old.reservationId, newId],
  ]);
}

describe("a redirection", () => {
  it("holds a place elsewhere, ends the old reservation, and confirms the new one if the old one was confirmed", async () => {
    const held = await holdHere();
    await expectRedirected(held, await steady.redirect(toNearest(held.reservationId), courier, call));
    const confirmed = await confirm((await holdHere()).reservationId);
    const response = await steady.redirect(toNearest(confirmed.reservationId), courier, call);
    expect(response.reservation).toMatchObject({ state: ReservationState.CONFIRMED, siteId: there });
  });

  it("applies the overflow policy to the current positions of the sites, not to cached ones", async () => {
    const old = await world.steady.reserve(here, { overflowPolicy: create(OverflowPolicySchema, { maxDistanceM: 2000 }) });
    const toThere = () => toNearest(old.reservationId, { place: { case: "siteId", value: there } });
    const { records, siteCache, redirect } = steady;
    await siteCache.facts([here, there].map((siteId) => ({ siteId, revision: 1 })));
    await records.sites.put(makeSite({ ...origin, latitude: 1.32, ref: "there" }), 0);
    await expect(redirect(toThere(), courier, call)).rejects.toMatchObject({ reason: "OUTSIDE_OVERFLOW_POLICY" });
    await records.sites.put(makeSite({ ...origin, latitude: 1.31, ref: "there" }), 0);
    expect((await redirect(toThere(), courier, call)).reservation?.siteId).toBe(there);
  });

  it("continues the chain of receipts of the old reservation", async () => {
    const old = await confirm((await holdHere()).reservationId);
    const { reservation } = await steady.redirect(toNearest(old.reservationId), courier, call);
    const [event] = (await steady.records.events.chain(reservation?.reservationId ?? "")).slice(-1);
    const receipt = event?.receipt;
    expect(receipt).toMatchObject({ number: 1, previousHash: old.chain?.lastHash, continuedReservationId: old.reservationId });
    if (event === undefined || receipt === undefined) throw new Error("no receipt");
    expect(reservation?.chain).toMatchObject({ length: 1, lastHash: (await receiptOf(event, receipt)).hash });
  });

  it.each(["held", "confirmed"])("of a %s reservation is completed by a duplicate, wherever the gateway dies", async (state) => {
    await atEveryDeath({ connection: world.connection, commandsMin: 8 }, async (dying) => {
      const first = await holdHere();
      const old = state === "held" ? first : await confirm(first.reservationId);
      const request = toNearest(old.reservationId);
      const hasDied = await dies(gatewayOver(dying).redirect(request, courier, call));
      const response = await steady.redirect(request, courier, call);
      await expectRedirectedOnce(old, response);
      // The same response every time, also after a change of the new reservation.
      await move(response.reservation?.reservationId ?? "", ReservationState.CANCELLED);
      expect(await steady.redirect(request, courier, call)).toEqual(response);
      return hasDied;
    });
  });

  async function expectRedirectedOnce(old: Reservation, { reservation, redirected }: RedirectResponse): Promise<void> {
    expect(redirected).toMatchObject({ state: ReservationState.CANCELLED, redirectedTo: reservation?.reservationId });
    expect(reservation).toMatchObject({ siteId: there, state: old.state, redirectedFrom: old.reservationId });
    expect([await heldAt(steady.records, here), await heldAt(steady.records, there)]).toEqual([0, 1]);
  }

  it.each(["held", "confirmed"])(
    "leaves a %s reservation unchanged if the place elsewhere has expired before the request is repeated",
    async (state) => {
      const first = await holdHere();
      const old = state === "held" ? first : await confirm(first.reservationId);
      const request = toNearest(old.reservationId);
      // Dies at later and later commands until the hold has been taken.
      let atCommand = 1;
      while ((await heldAt(steady.records, there)) === 0) {
        const mortal = gatewayOver(dyingAt(world.connection, { atCommand, isDone: true }).connection);
        await dies(mortal.redirect(request, courier, call));
        atCommand += 1;
      }
      clock.advance(holdDefaultMs);
      if (state === "held") return;
      await expect(steady.redirect(request, courier, call)).rejects.toMatchObject({ reason: "ILLEGAL_STATE" });
      expect(await steady.records.reservations.find(old.reservationId)).toEqual(old);
    },
  );

  it("confirms the new reservation if the old one was confirmed meanwhile", async () => {
    const old = await holdHere();
    const slow = gatewayOver(world.connection, () => confirm(old.reservationId));
    const { reservation, redirected } = await slow.redirect(toNearest(old.reservationId), courier, call);
    expect(reservation).toMatchObject({ state: ReservationState.CONFIRMED });
    expect(reservation?.depositUntil).toEqual(redirected?.depositUntil);
  });

  it("changes nothing if no other site has a free place", async () => {
    for (let taken = 0; taken < 2; taken += 1) {
      await steady.redirect(toNearest((await holdHere()).reservationId), courier, call);
    }
    const old = await holdHere();
    await expect(steady.redirect(toNearest(old.reservationId), courier, call)).rejects.toMatchObject({ reason: "NO_PLACE_FREE" });
    expect(await steady.records.reservations.find(old.reservationId)).toEqual(old);
  });

  it.each(["held", "confirmed"])(
    "gives the new place back if its site goes out of service meanwhile, and leaves a %s one as it is",
    async (state) => {
      const first = await holdHere();
      const old = state === "held" ? first : await confirm(first.reservationId);
      const paused = makeSite({ ...origin, latitude: 1.31, ref: "there" }, { lifecycle: SiteLifecycle.MAINTENANCE });
      const slow = gatewayOver(world.connection, () => steady.records.sites.put(paused, 0));
      await expect(slow.redirect(toNearest(old.reservationId), courier, call)).rejects.toMatchObject({ reason: "SITE_OUT_OF_SERVICE" });
      expect(await steady.records.reservations.find(old.reservationId)).toEqual(old);
      expect(await heldAt(steady.records, there)).toBe(0);
    },
  );

  it("gives the new place back if the parcel was deposited meanwhile", async () => {
    const old = await confirm((await holdHere()).reservationId);
    const slow = gatewayOver(world.connection, () => move(old.reservationId, ReservationState.DEPOSITED));
    await expect(slow.redirect(toNearest(old.reservationId), courier, call)).rejects.toMatchObject({ reason: "ILLEGAL_STATE" });
    expect((await steady.records.reservations.find(old.reservationId))?.state).toBe(ReservationState.DEPOSITED);
    expect(await heldAt(steady.records, there)).toBe(0);
  });
});
