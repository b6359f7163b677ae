import { randomUUID } from "node:crypto";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Allocator, createAllocator, type HoldRequest, type RedisConnection } from "@petak/allocator";
import { receiptOf } from "@petak/credential";
import {
  CancellationReason,
  EventType,
  HoldKind,
  PartyKind,
  Purpose,
  RedirectRequestSchema,
  type RedirectResponse,
  type Reservation,
  ReservationSchema,
  ReservationState,
  ReserveRequestSchema,
  Role,
} from "@petak/protocol";
import { Crash, createFrozenClock, dyingAt, type FrozenClock, makeSite, useRedis } from "@petak/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { changed, moveTo } from "../domain/move-on.ts";
import { participantParty } from "../domain/participant-party.ts";
import { reservationEvent } from "../domain/reservation-event.ts";
import { gatewayTerms } from "../domain/terms.ts";
import type { ParticipantCaller } from "../identity/index.ts";
import { testReceipts } from "../receipts/testing/test-receipts.ts";
import { createSiteCache } from "../stores/site-cache.ts";
import { createTermsBook } from "../stores/terms-book.ts";
import { createTermsStore } from "../stores/terms-store.ts";
import { createRedirect } from "./redirect.ts";
import { createTakePlace, homeRegion } from "./take-place.ts";

const redis = useRedis();
const origin = { latitude: 1.3, longitude: 103.8 };
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const courier: ParticipantCaller = {
  kind: "participant",
  participantId: "par_0000000000000002",
  roles: [Role.COURIER],
  mode: "test",
  keyId: "key_test_0000000000000001",
};
const { signal } = new AbortController();
const holdDefaultMs = 900_000;
const dayMs = 86_400_000;

const receipts = await testReceipts();

let connection: RedisConnection;
let clock: FrozenClock;
let steady: ReturnType<typeof gatewayOver>;
let here: string;
let there: string;

function gatewayOver(redisConnection: RedisConnection) {
  const allocator = createAllocator({ redis: redisConnection, prefix: `${redis.keyPrefix}petak` });
  const siteCache = createSiteCache(allocator.sites);
  const limits = { collectWithinMs: 3 * dayMs, storageMaxMs: 14 * dayMs };
  const termsBook = createTermsBook(createTermsStore(redisConnection, redis.keyPrefix), gatewayTerms(limits), clock.now);
  const takePlace = createTakePlace({ allocator, siteCache, termsBook });
  const redirect = createRedirect({ allocator, siteCache, termsBook, takePlace, receipts, now: clock.now, holdDefaultMs });
  return { allocator, termsBook, takePlace, redirect };
}

beforeEach(async () => {
  clock = createFrozenClock(1_800_000_000_000);
  connection = await redis.connect();
  // Each gateway of a test listens to it.
  connection.setMaxListeners(0);
  steady = gatewayOver(connection);
  const site = (ref: string, latitude: number) => makeSite({ ...origin, latitude, ref, classes: [["M", 400, 200, 500, 20_000, 2]] });
  here = (await steady.allocator.sites.put(site("here", 1.3), 0)).siteId;
  there = (await steady.allocator.sites.put(site("there", 1.31), 0)).siteId;
});
afterEach(() => connection.disconnect());

/** A reservation of the courier's at the site `here`. */
async function holdHere(): Promise<Reservation> {
  const requestId = randomUUID();
  const request = create(ReserveRequestSchema, { requestId, place: { case: "siteId", value: here }, parcel });
  const at = timestampFromMs(clock.now());
  const reservation = create(ReservationSchema, {
    participantId: courier.participantId,
    state: ReservationState.HELD,
    holdKind: HoldKind.SOFT,
    purpose: Purpose.DELIVERY,
    parcel,
    depositor: participantParty(courier),
    collector: { kind: PartyKind.CONSUMER },
    partnerReference: "order-7",
    isTest: true,
    revision: 1,
    createdAt: at,
    updatedAt: at,
    holdExpiresAt: timestampFromMs(clock.now() + holdDefaultMs),
  });
  const hold: HoldRequest = {
    participantId: courier.participantId,
    requestId,
    fingerprint: Buffer.alloc(16, 7),
    isTied: false,
    homeRegion: homeRegion(request),
    reservation,
    deadlineMs: clock.now() + holdDefaultMs,
    event: (reservationId) =>
      reservationEvent({
        type: EventType.RESERVATION_HELD,
        reservation,
        reservationId,
        stateBefore: ReservationState.UNSPECIFIED,
        actor: participantParty(courier),
        occurredAtMs: clock.now(),
        recordedAtMs: clock.now(),
      }),
  };
  return await steady.takePlace.take(request, hold, { isTest: true, nowMs: clock.now(), signal });
}

async function move(reservationId: string, state: ReservationState, change: Partial<Reservation> = {}): Promise<Reservation> {
  const before = (await steady.allocator.reservations.find(reservationId)) as Reservation;
  const stored = await steady.allocator.sites.find(before.siteId);
  const after = changed(before, clock.now(), { state, ...change });
  const facts = { actor: participantParty(courier), atMs: clock.now() };
  const place = { before, cell: stored?.cell ?? "", classIndex: 0, movedAtMs: clock.now() };
  const moving = await receipts.attach(before, moveTo(before, after, facts));
  await steady.allocator.reservations.move({ ...place, ...moving, deadlineMs: null });
  return moving.after ?? after;
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

async function heldAt(allocator: Allocator, siteId: string): Promise<number | undefined> {
  return (await allocator.sites.find(siteId))?.counts[0]?.held;
}

/** What every redirected reservation must come to, whatever happened on the way. */
async function expectRedirected(old: Reservation, { reservation, redirected }: RedirectResponse): Promise<void> {
  const { allocator } = steady;
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
  expect(await allocator.reservations.find(newId)).toEqual(reservation);
  expect([await heldAt(allocator, here), await heldAt(allocator, there)]).toEqual([0, 1]);
  const logged = await allocator.events.readAfter(newId.slice(4, 10), "0-0", 100);
  const said = logged.map(({ event }) => [event.type, event.reservationId, event.relatedReservationId]);
  expect(said.filter(([, , related]) => related !== "")).toEqual([
    [EventType.RESERVATION_HELD, newId, old.reservationId],
    [EventType.RESERVATION_CANCELLED, old.reservationId, newId],
  ]);
}

describe("a redirection", () => {
  it("holds elsewhere, ends the old reservation, and confirms the new one where the old one was", async () => {
    const held = await holdHere();
    await expectRedirected(held, await steady.redirect(toNearest(held.reservationId), courier, signal));
    const confirmed = await confirm((await holdHere()).reservationId);
    const response = await steady.redirect(toNearest(confirmed.reservationId), courier, signal);
    expect(response.reservation).toMatchObject({ state: ReservationState.CONFIRMED, siteId: there });
  });

  it("lets the chain of receipts go on from where the old one ended", async () => {
    const old = await confirm((await holdHere()).reservationId);
    const { reservation } = await steady.redirect(toNearest(old.reservationId), courier, signal);
    const [event] = (await steady.allocator.events.chain(reservation?.reservationId ?? "")).slice(-1);
    const receipt = event?.receipt;
    expect(receipt).toMatchObject({ number: 1, previousHash: old.chain?.lastHash, continuedReservationId: old.reservationId });
    if (event === undefined || receipt === undefined) throw new Error("no receipt");
    expect(reservation?.chain).toMatchObject({ length: 1, lastHash: (await receiptOf(event, receipt)).hash });
  });

  it.each(["held", "confirmed"])("of what is %s is finished by a repetition, at whichever command the gateway dies", async (state) => {
    let atCommand = 0;
    for (let hasDied = true; hasDied; ) {
      atCommand += 1;
      for (const isDone of [false, true]) {
        const first = await holdHere();
        const old = state === "held" ? first : await confirm(first.reservationId);
        const request = toNearest(old.reservationId);
        const mortal = gatewayOver(dyingAt(connection, { atCommand, isDone }).connection);
        hasDied = await dies(mortal.redirect(request, courier, signal));
        const response = await steady.redirect(request, courier, signal);
        await expectRedirectedOnce(old, response);
        // The same answer however often, also when the new reservation has moved on.
        await move(response.reservation?.reservationId ?? "", ReservationState.CANCELLED);
        expect(await steady.redirect(request, courier, signal)).toEqual(response);
      }
    }
    // It would say nothing if there were hardly anything to die at.
    expect(atCommand).toBeGreaterThan(8);
  });

  async function dies(work: Promise<unknown>): Promise<boolean> {
    try {
      await work;
      return false;
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      return true;
    }
  }

  async function expectRedirectedOnce(old: Reservation, { reservation, redirected }: RedirectResponse): Promise<void> {
    expect(redirected).toMatchObject({ state: ReservationState.CANCELLED, redirectedTo: reservation?.reservationId });
    expect(reservation).toMatchObject({ siteId: there, state: old.state, redirectedFrom: old.reservationId });
    expect([await heldAt(steady.allocator, here), await heldAt(steady.allocator, there)]).toEqual([0, 1]);
  }

  it.each(["held", "confirmed"])(
    "leaves what is %s as it is where the place elsewhere has gone before the request came again",
    async (state) => {
      const first = await holdHere();
      const old = state === "held" ? first : await confirm(first.reservationId);
      const request = toNearest(old.reservationId);
      // The claim, the look at the old one, the search, and the hold, which is taken.
      let atCommand = 1;
      while ((await heldAt(steady.allocator, there)) === 0) {
        const mortal = gatewayOver(dyingAt(connection, { atCommand, isDone: true }).connection);
        await dies(mortal.redirect(request, courier, signal));
        atCommand += 1;
      }
      clock.advance(holdDefaultMs);
      if (state === "held") return;
      await expect(steady.redirect(request, courier, signal)).rejects.toMatchObject({ reason: "ILLEGAL_STATE" });
      expect(await steady.allocator.reservations.find(old.reservationId)).toEqual(old);
    },
  );

  it("confirms the new one where the old one was confirmed while the place was taken", async () => {
    const old = await holdHere();
    const { takePlace, allocator } = steady;
    const slow = createRedirect({
      allocator,
      siteCache: createSiteCache(allocator.sites),
      termsBook: steady.termsBook,
      receipts,
      now: clock.now,
      holdDefaultMs,
      takePlace: {
        ...takePlace,
        take: async (...asked) => {
          const taken = await takePlace.take(...asked);
          await confirm(old.reservationId);
          return taken;
        },
      },
    });
    const { reservation, redirected } = await slow(toNearest(old.reservationId), courier, signal);
    expect(reservation).toMatchObject({ state: ReservationState.CONFIRMED });
    expect(reservation?.depositUntil).toEqual(redirected?.depositUntil);
  });

  it("changes nothing where no other site has a place", async () => {
    for (let taken = 0; taken < 2; taken += 1) {
      await steady.redirect(toNearest((await holdHere()).reservationId), courier, signal);
    }
    const old = await holdHere();
    await expect(steady.redirect(toNearest(old.reservationId), courier, signal)).rejects.toMatchObject({ reason: "NO_PLACE_FREE" });
    expect(await steady.allocator.reservations.find(old.reservationId)).toEqual(old);
  });

  it("gives the new place back where the parcel was deposited meanwhile", async () => {
    const old = await confirm((await holdHere()).reservationId);
    const { takePlace } = steady;
    const siteCache = createSiteCache(steady.allocator.sites);
    const slow = createRedirect({
      allocator: steady.allocator,
      siteCache,
      termsBook: steady.termsBook,
      receipts,
      now: clock.now,
      holdDefaultMs,
      takePlace: {
        ...takePlace,
        take: async (...asked) => {
          const taken = await takePlace.take(...asked);
          await move(old.reservationId, ReservationState.DEPOSITED);
          return taken;
        },
      },
    });
    await expect(slow(toNearest(old.reservationId), courier, signal)).rejects.toMatchObject({ reason: "ILLEGAL_STATE" });
    expect((await steady.allocator.reservations.find(old.reservationId))?.state).toBe(ReservationState.DEPOSITED);
    expect(await heldAt(steady.allocator, there)).toBe(0);
  });
});
