import { randomUUID } from "node:crypto";
import { type MessageInitShape, toJson } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import {
  CancellationReason,
  EventType,
  HoldKind,
  OverflowFallback,
  type OverflowPolicySchema,
  type Reason,
  type Reservation,
  ReservationSchema,
  ReservationState,
  type ReserveRequestSchema,
  Role,
  reasonOf,
  SiteLifecycle,
} from "@petak/protocol";
import { createFrozenClock, type FrozenClock, type MoreFacts, makeSite, type SiteFacts, useRedis } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { beforeEach, describe, expect, it } from "vitest";

const redis = useRedis();
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const large = { widthMm: 600, heightMm: 400, depthMm: 500, massG: 1000 };
const origin = { latitude: 1.3, longitude: 103.8 };
const minuteMs = 60_000;
const minutes = (count: number) => ({ seconds: BigInt(count * 60) });

let clock: FrozenClock;
let network: TestNetwork;
let operator: TestParticipant;
let rival: TestParticipant;
let courier: TestParticipant;
let merchant: TestParticipant;

beforeEach(async () => {
  clock = createFrozenClock(Math.floor(Date.now() / 1000) * 1000);
  network = await startTestNetwork({ redis, now: clock.now, sweepIntervalMs: 5 });
  [operator, rival, courier, merchant] = await Promise.all([
    network.join("Operator", [Role.OPERATOR]),
    network.join("Rival", [Role.OPERATOR]),
    network.join("Courier", [Role.COURIER]),
    network.join("Merchant", [Role.MERCHANT]),
  ]);
  return () => network.stop();
});

/** Puts a site the given number of thousandths of a degree north of the origin; each is some 111 m. */
async function put(
  ref: string,
  north: number,
  places: number,
  more: { facts?: Partial<SiteFacts>; says?: MoreFacts; by?: TestParticipant } = {},
) {
  const classes: SiteFacts["classes"] = [["M", 400, 200, 500, 20_000, places]];
  const site = makeSite({ ...origin, latitude: origin.latitude + north / 1000, ref, classes, ...more.facts }, more.says);
  return await network.putSite(more.by ?? operator, site);
}

type Asked = Partial<MessageInitShape<typeof ReserveRequestSchema>>;

async function reserveAt(siteId: string, overflowPolicy?: MessageInitShape<typeof OverflowPolicySchema>, more: Asked = {}, by = courier) {
  const place = { case: "siteId", value: siteId } as const;
  const asked = { requestId: randomUUID(), place, parcel, ...(overflowPolicy && { overflowPolicy }), ...more };
  const { reservation } = await by.client.reservations.reserve(asked as MessageInitShape<typeof ReserveRequestSchema>);
  return reservation as Reservation;
}

async function found({ reservationId }: Reservation, by = courier): Promise<Reservation> {
  const { reservation } = await by.client.reservations.getReservation({ reservationId });
  return reservation as Reservation;
}

async function cancel({ reservationId }: Reservation, by = courier): Promise<void> {
  await by.client.reservations.cancel({ requestId: randomUUID(), reservationId, reason: CancellationReason.OTHER });
}

/** Whether an error has a reason. */
const has = (reason: Reason) => (error: unknown) => reasonOf(error) === reason;

const states = async (reservations: Reservation[]) => (await Promise.all(reservations.map((one) => found(one)))).map(({ state }) => state);
const { QUEUED, HELD, CANCELLED, REJECTED, EXPIRED, CONFIRMED } = ReservationState;
const wait = { wait: minutes(60) };

describe("a full site", () => {
  it("refuses, unless the request permits waiting: then it is queued, with its position and limit", async () => {
    const siteId = await put("full", 0, 1);
    const held = await reserveAt(siteId);
    await expect(reserveAt(siteId)).rejects.toSatisfy(has("NO_PLACE_FREE"));
    const [first, second] = [await reserveAt(siteId, wait), await reserveAt(siteId, wait)];
    expect([first, second]).toMatchObject([
      { state: QUEUED, siteId, queuePosition: 0, queuedSiteIds: [siteId], sizeClassId: "", wantedSiteId: siteId },
      { state: QUEUED, siteId, queuePosition: 1 },
    ]);
    expect(first.queuedUntil && timestampMs(first.queuedUntil)).toBe(clock.now() + 60 * minuteMs);
    expect(first.holdExpiresAt).toBeUndefined();
    expect(await found(second)).toEqual(second);
    await cancel(held);
    expect(await states([held, first, second])).toEqual([CANCELLED, HELD, QUEUED]);
    expect((await found(second)).queuePosition).toBe(0);
    const promoted = await found(first);
    expect(promoted).toMatchObject({ sizeClassId: "M", siteId, revision: 2 });
    expect(promoted.queuePosition).toBeUndefined();
    expect(toJson(ReservationSchema, first)).toMatchObject({ queuePosition: 0 });
    expect(promoted.holdExpiresAt && timestampMs(promoted.holdExpiresAt)).toBe(clock.now() + 15 * minuteMs);
  });

  it("gives a freed place to the first reservation that fits it, and to no later request", async () => {
    const siteId = await put("mixed", 0, 1, {
      facts: {
        classes: [
          ["M", 400, 200, 500, 20_000, 1],
          ["L", 700, 500, 600, 20_000, 1],
        ],
      },
    });
    const [small, big] = [await reserveAt(siteId), await reserveAt(siteId, undefined, { parcel: large })];
    const waiting = [
      await reserveAt(siteId, wait, { parcel: large }),
      await reserveAt(siteId, wait),
      await reserveAt(siteId, wait, { parcel: large }),
    ];
    expect(waiting.map(({ queuePosition }) => queuePosition)).toEqual([0, 1, 2]);
    await cancel(small);
    await expect(reserveAt(siteId)).rejects.toSatisfy(has("NO_PLACE_FREE"));
    expect(await states(waiting)).toEqual([QUEUED, HELD, QUEUED]);
    await cancel(big);
    await expect(reserveAt(siteId, undefined, { parcel: large })).rejects.toSatisfy(has("NO_PLACE_FREE"));
    expect(await states(waiting)).toEqual([HELD, HELD, QUEUED]);
    const { availabilities } = await courier.client.directory.getAvailability({ siteIds: [siteId] });
    expect(availabilities[0]?.sizeClasses.map(({ freeToPromise }) => freeToPromise)).toEqual([0, 0]);
  });

  it("promotes the next one if a promotion is not confirmed, and rejects those whose wait has ended", async () => {
    const siteId = await put("full", 0, 1);
    const held = await reserveAt(siteId);
    const first = await reserveAt(siteId, wait);
    const second = await reserveAt(siteId, { wait: minutes(30), fallback: OverflowFallback.HOLD_AT_DEPOT });
    const third = await reserveAt(siteId, { wait: minutes(10) });
    await courier.client.reservations.confirm({ requestId: randomUUID(), reservationId: held.reservationId });
    clock.advance(10 * minuteMs);
    await expect.poll(() => states([first, second, third])).toEqual([QUEUED, QUEUED, REJECTED]);
    expect(await found(third)).toMatchObject({ overflowFallback: OverflowFallback.REFUSE });
    await cancel(held);
    clock.advance(15 * minuteMs);
    await expect.poll(() => states([first, second])).toEqual([EXPIRED, HELD]);
    await courier.client.reservations.confirm({ requestId: randomUUID(), reservationId: second.reservationId });
    const fourth = await reserveAt(siteId, { wait: minutes(5), fallback: OverflowFallback.ASK_CONSUMER });
    clock.advance(5 * minuteMs);
    await expect.poll(() => states([fourth])).toEqual([REJECTED]);
    expect(await found(fourth)).toMatchObject({ overflowFallback: OverflowFallback.ASK_CONSUMER });
    // The event has the fallback, so the reservation need not be read.
    const { events } = await courier.client.custody.listEvents({});
    const ends = events.flatMap(({ type, reservationId, overflowFallback }) =>
      type === EventType.RESERVATION_REJECTED || overflowFallback !== OverflowFallback.UNSPECIFIED
        ? [[type, reservationId, overflowFallback]]
        : [],
    );
    expect(ends).toEqual([
      [EventType.RESERVATION_REJECTED, third.reservationId, OverflowFallback.REFUSE],
      [EventType.RESERVATION_REJECTED, fourth.reservationId, OverflowFallback.ASK_CONSUMER],
    ]);
  });

  it("records each change of the queue as an event", async () => {
    const siteId = await put("full", 0, 1);
    const held = await reserveAt(siteId);
    const [first, second] = [await reserveAt(siteId, wait), await reserveAt(siteId, { wait: minutes(1) })];
    await cancel(held);
    clock.advance(minuteMs);
    await expect.poll(() => states([second])).toEqual([REJECTED]);
    const { events } = await courier.client.custody.listEvents({});
    const changes = events.map(({ type, reservationId, stateBefore, stateAfter }) => [type, reservationId, stateBefore, stateAfter]);
    expect(changes).toEqual([
      [EventType.RESERVATION_HELD, held.reservationId, 0, HELD],
      [EventType.RESERVATION_QUEUED, first.reservationId, 0, QUEUED],
      [EventType.RESERVATION_QUEUED, second.reservationId, 0, QUEUED],
      [EventType.RESERVATION_CANCELLED, held.reservationId, HELD, CANCELLED],
      [EventType.RESERVATION_PROMOTED, first.reservationId, QUEUED, HELD],
      [EventType.RESERVATION_REJECTED, second.reservationId, QUEUED, REJECTED],
    ]);
    const promotion = events[4];
    expect(promotion).toMatchObject({ siteId, participantId: courier.participantId, reservationRevision: 2, isTest: true });
    expect(promotion?.occurredAt && timestampMs(promotion.occurredAt)).toBe(clock.now() - minuteMs);
    expect(promotion?.recordedAt).toEqual(promotion?.occurredAt);
    expect(promotion?.eventId).toMatch(/^evt_/);
    const { events: chain } = await courier.client.custody.getCustodyChain({ reservationId: first.reservationId });
    expect(chain.map(({ type }) => type)).toEqual([EventType.RESERVATION_QUEUED, EventType.RESERVATION_PROMOTED]);
  });

  it("answers a repeated request with the first response, whatever has happened since", async () => {
    const siteId = await put("full", 0, 1);
    const held = await reserveAt(siteId);
    await reserveAt(siteId, wait);
    const requestId = randomUUID();
    const second = await reserveAt(siteId, wait, { requestId });
    expect(await reserveAt(siteId, wait, { requestId })).toEqual(second);
    await cancel(held);
    await expect.poll(() => reserveAt(siteId, wait, { requestId })).toEqual(second);
    clock.advance(15 * minuteMs);
    await expect.poll(() => states([second])).toEqual([HELD]);
    expect(await reserveAt(siteId, wait, { requestId })).toEqual(second);
    await expect(reserveAt(siteId, { wait: minutes(61) }, { requestId })).rejects.toSatisfy(has("REQUEST_ID_REUSED"));
  });

  it("permits waiting reservations to be cancelled, and to be extended without losing their rank", async () => {
    const siteId = await put("full", 0, 1);
    const held = await reserveAt(siteId);
    const waiting = [await reserveAt(siteId, { wait: minutes(10) }), await reserveAt(siteId, wait), await reserveAt(siteId, wait)];
    const [first, second] = waiting as [Reservation, Reservation];
    const until = timestampFromMs(clock.now() + 40 * minuteMs);
    const { reservation } = await courier.client.reservations.extend({
      requestId: randomUUID(),
      reservationId: first.reservationId,
      until,
    });
    expect(reservation).toMatchObject({ state: QUEUED, queuedUntil: until, revision: 2 });
    await cancel(second);
    clock.advance(11 * minuteMs);
    await cancel(held).catch(() => undefined);
    await expect.poll(() => states(waiting)).toEqual([HELD, CANCELLED, QUEUED]);
    expect(await found(first)).toMatchObject({ revision: 3 });
    const tooLong = timestampFromMs(clock.now() + 30 * 24 * 60 * minuteMs);
    const [, , third] = waiting as [Reservation, Reservation, Reservation];
    const extended = await courier.client.reservations.extend({
      requestId: randomUUID(),
      reservationId: third.reservationId,
      until: tooLong,
    });
    const { createdAt, queuedUntil } = extended.reservation as Reservation;
    expect((queuedUntil && timestampMs(queuedUntil)) ?? 0).toBe(((createdAt && timestampMs(createdAt)) ?? 0) + 7 * 24 * 60 * minuteMs);
  });
});

describe("a place becomes free for the queue", () => {
  it("when the operator reports it, adds it, or takes the site back into service", async () => {
    const siteId = await put("reported", 0, 2);
    const report = (free: number) =>
      operator.client.directory.reportCapacity({
        requestId: randomUUID(),
        sites: [
          {
            siteId,
            observedAt: timestampFromMs(clock.now()),
            ttl: { seconds: 60n },
            sizeClasses: [{ sizeClassId: "M", free, occupied: 2 - free, outOfService: 0 }],
          },
        ],
      });
    await report(0);
    const waiting = [
      await reserveAt(siteId, wait),
      await reserveAt(siteId, wait),
      await reserveAt(siteId, wait),
      await reserveAt(siteId, wait),
    ];
    clock.advance(1000);
    await report(1);
    expect(await states(waiting)).toEqual([HELD, QUEUED, QUEUED, QUEUED]);
    await operator.client.directory.reportCapacity({
      requestId: randomUUID(),
      sites: [{ siteId, observedAt: timestampFromMs(clock.now() + 1), reportingEnded: true }],
    });
    expect(await states(waiting)).toEqual([HELD, HELD, QUEUED, QUEUED]);
    await put("reported", 0, 3, { says: { lifecycle: SiteLifecycle.MAINTENANCE } });
    expect(await states(waiting)).toEqual([HELD, HELD, QUEUED, QUEUED]);
    await put("reported", 0, 3);
    expect(await states(waiting)).toEqual([HELD, HELD, HELD, QUEUED]);
    // Fit is judged by the current measures of the site.
    await put("reported", 0, 4, { facts: { classes: [["M", 100, 100, 100, 20_000, 4]] } });
    expect(await states(waiting)).toEqual([HELD, HELD, HELD, QUEUED]);
    await put("reported", 0, 4);
    expect(await states(waiting)).toEqual([HELD, HELD, HELD, HELD]);
  });

  it("but not while its availability is unknown, unless the request permits that", async () => {
    const siteId = await put("reported", 0, 2);
    const observedAt = timestampFromMs(clock.now());
    const sizeClasses = [{ sizeClassId: "M", free: 1, occupied: 1, outOfService: 0 }];
    await operator.client.directory.reportCapacity({
      requestId: randomUUID(),
      sites: [{ siteId, observedAt, ttl: { seconds: 60n }, sizeClasses }],
    });
    const held = await reserveAt(siteId);
    const waiting = [await reserveAt(siteId, wait), await reserveAt(siteId, wait, { includeUnknown: true })];
    clock.advance(2 * minuteMs);
    await cancel(held);
    expect(await states(waiting)).toEqual([QUEUED, HELD]);
    clock.advance(1000);
    const later = timestampFromMs(clock.now());
    const more = [{ sizeClassId: "M", free: 2, occupied: 0, outOfService: 0 }];
    await operator.client.directory.reportCapacity({
      requestId: randomUUID(),
      sites: [{ siteId, observedAt: later, ttl: { seconds: 60n }, sizeClasses: more }],
    });
    expect(await states(waiting)).toEqual([HELD, HELD]);
  });

  it("as a named door, if the reservation waits for one", async () => {
    const compartments = [{ compartmentId: "M0", sizeClassId: "M" }];
    const siteId = await put("named", 0, 1, { says: { compartments } });
    const hard = { holdKind: HoldKind.HARD };
    const held = await reserveAt(siteId, undefined, hard);
    const waiting = await reserveAt(siteId, wait, hard);
    expect(waiting).toMatchObject({ state: QUEUED, holdKind: HoldKind.HARD, heldCompartmentId: "" });
    await cancel(held);
    expect(await found(waiting)).toMatchObject({ state: HELD, heldCompartmentId: "M0" });
    await cancel(waiting);
    expect(await reserveAt(siteId, undefined, hard)).toMatchObject({ heldCompartmentId: "M0" });
  });
});

describe("an overflow policy", () => {
  it("leads to the nearest other site of a permitted operator within the distance", async () => {
    const wanted = await put("wanted", 0, 1);
    await reserveAt(wanted);
    await put("rival", 1, 3, { by: rival });
    const near = await put("near", 2, 1);
    await put("far", 9, 1);
    const policy = { maxDistanceM: 500, operatorIds: [operator.participantId], fallback: OverflowFallback.HOLD_AT_DEPOT };
    expect(await reserveAt(wanted, policy)).toMatchObject({ state: HELD, siteId: near, wantedSiteId: wanted });
    await expect(reserveAt(wanted, policy)).rejects.toSatisfy(has("NO_PLACE_FREE"));
    await expect(reserveAt(wanted, { maxDistanceM: 0 })).rejects.toSatisfy(has("NO_PLACE_FREE"));
    expect(await reserveAt(wanted, { maxDistanceM: 500 })).toMatchObject({ state: HELD, operatorId: rival.participantId });
  });

  it("queues a reservation at several sites, and takes the first place that becomes free", async () => {
    const wanted = await put("wanted", 0, 1);
    const near = await put("near", 2, 1);
    const blocking = [await reserveAt(wanted), await reserveAt(near)];
    const asked = { maxDistanceM: 500, wait: minutes(60) };
    const [first, second] = [await reserveAt(wanted, asked), await reserveAt(wanted, asked)];
    expect(first).toMatchObject({ state: QUEUED, siteId: wanted, queuedSiteIds: [wanted, near] });
    await cancel(blocking[1] as Reservation);
    expect(await found(first)).toMatchObject({ state: HELD, siteId: near, wantedSiteId: wanted });
    await cancel(blocking[0] as Reservation);
    expect(await found(second)).toMatchObject({ state: HELD, siteId: wanted });
    // The queue is empty: places are offered again.
    await cancel(second);
    expect(await reserveAt(wanted)).toMatchObject({ state: HELD });
  });

  it("lists waiting reservations, and those promoted elsewhere, once to each of their parties", async () => {
    const [wanted, near, own] = [await put("wanted", 0, 1), await put("near", 1, 1, { by: rival }), await put("own", 2, 1)];
    const blocking = [await reserveAt(wanted), await reserveAt(near), await reserveAt(own)];
    const asked = { maxDistanceM: 500, wait: minutes(60) };
    const waiting = [await reserveAt(wanted, asked), await reserveAt(wanted, asked), await reserveAt(wanted, asked)];
    const listed = async (by: TestParticipant, siteId = "") => {
      const states = [QUEUED, HELD];
      const { reservations } = await by.client.reservations.listReservations({ states, siteId });
      return reservations
        .map(({ reservationId }) => waiting.findIndex((one) => one.reservationId === reservationId))
        .filter((at) => at >= 0);
    };
    expect([await listed(courier), await listed(operator), await listed(rival)]).toEqual([[0, 1, 2], [0, 1, 2], []]);
    await cancel(blocking[1] as Reservation);
    await cancel(blocking[2] as Reservation);
    expect((await found(waiting[0] as Reservation)).siteId).toBe(near);
    expect((await found(waiting[1] as Reservation)).siteId).toBe(own);
    expect([await listed(courier), await listed(operator), await listed(rival)]).toEqual([[0, 1, 2], [1, 2], [0]]);
    expect([await listed(courier, wanted), await listed(courier, near), await listed(operator, own)]).toEqual([[2], [0], [1]]);
    await cancel(blocking[0] as Reservation);
    expect([await listed(courier, wanted), await listed(operator, wanted)]).toEqual([[2], [2]]);
  });

  it("applies to the nearest site too, with distances from the origin of the search", async () => {
    const near = await put("near", 0, 1);
    const place = { case: "nearest", value: { origin, radiusM: 100 } } as const;
    const nearest = { place };
    expect(await reserveAt("", wait, nearest)).toMatchObject({ state: HELD, siteId: near });
    const waiting = await reserveAt("", wait, nearest);
    expect(waiting).toMatchObject({ state: QUEUED, siteId: near, queuedSiteIds: [near] });
    const other = await put("other", 3, 1);
    expect(await reserveAt("", { maxDistanceM: 1000, wait: minutes(1) }, nearest)).toMatchObject({ state: HELD, siteId: other });
    await expect(
      reserveAt("", wait, { place: { case: "nearest", value: { origin: { latitude: 10, longitude: 100 }, radiusM: 10 } } }),
    ).rejects.toSatisfy(has("NO_PLACE_FREE"));
  });

  it("restricts redirects by a courier, but not by a merchant, who may change it", async () => {
    const wanted = await put("wanted", 0, 9);
    const near = await put("near", 2, 9);
    const rivals = await put("rivals", 1, 9, { by: rival });
    const far = await put("far", 9, 9);
    const policy = { maxDistanceM: 500, operatorIds: [operator.participantId] };
    const redirect = (by: TestParticipant, { reservationId }: Reservation, place: Asked["place"], more = {}) =>
      by.client.reservations.redirect({
        requestId: randomUUID(),
        reservationId,
        place,
        reason: CancellationReason.SITE_PROBLEM,
        ...more,
      } as never);
    const to = (siteId: string) => ({ case: "siteId", value: siteId }) as const;
    const held = await reserveAt(wanted, policy);
    await expect(redirect(courier, held, to(far))).rejects.toSatisfy(has("OUTSIDE_OVERFLOW_POLICY"));
    await expect(redirect(courier, held, to(rivals))).rejects.toSatisfy(has("OUTSIDE_OVERFLOW_POLICY"));
    await expect(redirect(courier, held, to(near), { overflowPolicy: {} })).rejects.toSatisfy(has("ROLE_REQUIRED"));
    const moved = (await redirect(courier, held, to(near))).reservation as Reservation;
    expect(moved).toMatchObject({ siteId: near, wantedSiteId: wanted, overflowPolicy: { maxDistanceM: 500 } });
    // After any number of redirects, the distance is measured from the site that was wanted.
    const north = { ...origin, latitude: origin.latitude + 0.009 };
    const back = (await redirect(courier, moved, { case: "nearest", value: { origin: north } })).reservation as Reservation;
    expect(back).toMatchObject({ siteId: wanted });
    await expect(redirect(courier, await reserveAt(wanted, {}), to(near))).rejects.toSatisfy(has("OUTSIDE_OVERFLOW_POLICY"));
    const plain = (await redirect(courier, await reserveAt(wanted), to(far))).reservation;
    expect(plain).toMatchObject({ siteId: far, wantedSiteId: "" });
    const own = await reserveAt(wanted, policy, {}, merchant);
    const changed = (await redirect(merchant, own, to(far), { overflowPolicy: { maxDistanceM: 100 } })).reservation;
    expect(changed).toMatchObject({ siteId: far, wantedSiteId: far, overflowPolicy: { maxDistanceM: 100 } });
  });

  it("keeps the rank of a waiting reservation that is redirected", async () => {
    const [here, there] = [await put("here", 0, 1), await put("there", 5, 1)];
    const blocking = [await reserveAt(here, {}, {}, merchant), await reserveAt(there, {}, {}, merchant)];
    const first = await reserveAt(here, wait, {}, merchant);
    const second = await reserveAt(there, wait, {}, merchant);
    const third = await reserveAt(here, wait, {}, merchant);
    const toThere = { place: { case: "siteId", value: there }, reason: CancellationReason.CONSUMER_REQUEST } as const;
    const redirect = async ({ reservationId }: Reservation) =>
      await merchant.client.reservations.redirect({ requestId: randomUUID(), reservationId, ...toThere });
    const { reservation, redirected } = await redirect(first);
    const moved = reservation as Reservation;
    expect(redirected).toMatchObject({ state: CANCELLED, redirectedTo: moved.reservationId });
    expect(moved).toMatchObject({ state: QUEUED, siteId: there, queuePosition: 0, queuedUntil: first.queuedUntil });
    expect(moved.queuedSince).toEqual(first.queuedSince);
    expect((await found(second, merchant)).queuePosition).toBe(1);
    expect((await redirect(third)).reservation?.queuePosition).toBe(2);
    await cancel(blocking[0] as Reservation, merchant);
    expect(await reserveAt(here)).toMatchObject({ state: HELD });
    await cancel(blocking[1] as Reservation, merchant);
    expect([(await found(moved, merchant)).state, (await found(second, merchant)).state]).toEqual([HELD, QUEUED]);
    await merchant.client.reservations.confirm({ requestId: randomUUID(), reservationId: moved.reservationId });
    expect((await found(moved, merchant)).state).toBe(CONFIRMED);
  });
});
