import { randomUUID } from "node:crypto";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  AccessSchema,
  CancellationReason,
  DayOfWeek,
  DeviceEventType,
  EquipmentSchema,
  type Event,
  EventType,
  LiveReservations,
  OpeningHoursSchema,
  OverflowPolicySchema,
  ParcelRequirement,
  Purpose,
  ReservationState,
  type ReserveRequestSchema,
  Role,
  reasonOf,
  type Site,
  type SiteChange,
  SiteChangeKind,
  SiteKind,
  SiteLifecycle,
  type SiteRequirementsSchema,
  SiteService,
  type SizeClass,
  TermsSchema,
} from "@petak/protocol";
import { toldEveryMs } from "@petak/records";
import { createFrozenClock, type FrozenClock, makeSite, useRedis } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { beforeEach, describe, expect, it } from "vitest";

const redis = useRedis();
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const position = { latitude: 1.3, longitude: 103.8 };
const { MAINTENANCE, ACTIVE } = SiteLifecycle;
const K = SiteChangeKind;
const { RESERVATION_SITE_CHANGED, RESERVATION_CANCELLED } = EventType;

let clock: FrozenClock;
let network: TestNetwork;
let operator: TestParticipant;
let courier: TestParticipant;
let site: Site;
let siteId: string;
let otherId: string;

beforeEach(async () => {
  // A Friday morning in Singapore.
  clock = createFrozenClock(Date.parse("2026-11-27T01:00:00Z"));
  network = await startTestNetwork({ redis, now: clock.now });
  operator = await network.join("Operator", [Role.OPERATOR]);
  courier = await network.join("Courier", [Role.COURIER, Role.MERCHANT]);
  site = makeSite({ ...position, ref: "here", kind: SiteKind.COLLECTION_POINT }, { services: [SiteService.AGE_CHECK] });
  siteId = await network.putSite(operator, site);
  otherId = await network.putSite(operator, makeSite({ ...position, latitude: 1.31, ref: "there" }));
  return () => network.stop();
});

const put = (change: Partial<Site>, liveReservations: LiveReservations = LiveReservations.REFUSE) =>
  operator.client.directory.upsertSites({ requestId: randomUUID(), sites: [{ ...site, ...change }], liveReservations });
const retire = (liveReservations: LiveReservations) =>
  operator.client.directory.retireSites({ requestId: randomUUID(), siteIds: [siteId], liveReservations });

async function reserve(more: MessageInitShape<typeof ReserveRequestSchema> = {}): Promise<string> {
  const request = { requestId: randomUUID(), place: { case: "siteId", value: siteId } as const, parcel, ...more };
  return (
    (await courier.client.reservations.reserve(request as MessageInitShape<typeof ReserveRequestSchema>)).reservation?.reservationId ?? ""
  );
}
async function confirmed(more: MessageInitShape<typeof ReserveRequestSchema> = {}): Promise<string> {
  const reservationId = await reserve(more);
  await courier.client.reservations.confirm({ requestId: randomUUID(), reservationId });
  return reservationId;
}
async function deposited(): Promise<string> {
  const reservationId = await confirmed();
  const agent = await network.reporterAt(operator, siteId);
  await agent.report({ type: DeviceEventType.PARCEL_DEPOSITED, reservationId });
  return reservationId;
}
const waiting = { overflowPolicy: create(OverflowPolicySchema, { wait: { seconds: 3600n } }) };
const get = async (reservationId: string) => (await courier.client.reservations.getReservation({ reservationId })).reservation;

/** All events of a feed so far. */
async function feedOf({ client }: TestParticipant): Promise<Event[]> {
  const events: Event[] = [];
  for (let cursor = "", hasMore = true; hasMore; ) {
    const page = await client.custody.listEvents({ cursor });
    events.push(...page.events);
    ({ nextCursor: cursor, hasMore } = page);
  }
  return events;
}

/** What was told of changes of sites, by reservation, once a number of such events has come. */
async function toldOnce(count: number): Promise<Map<string, SiteChange[]>> {
  const told = new Map<string, SiteChange[]>();
  const changes = async () => (await feedOf(courier)).filter(({ siteChange }) => siteChange !== undefined);
  // A change that told nobody may have put the next one off.
  const countLater = async () => {
    clock.advance(1000);
    return (await changes()).length;
  };
  await expect.poll(countLater).toBe(count);
  for (const { reservationId, siteChange } of await changes()) {
    told.set(reservationId, [...(told.get(reservationId) ?? []), siteChange as SiteChange]);
  }
  // The next change of a site is told a minute later.
  clock.advance(toldEveryMs);
  return told;
}

/** Takes all places of both sites. Returns a reservation that waits at both, and one that holds a place at the other. */
async function waitingAtBoth(): Promise<{ queued: string; there: string }> {
  const elsewhere = { place: { case: "siteId", value: otherId } as const };
  const held = await Promise.all(Array.from({ length: 8 }, (_, at) => reserve(at < 4 ? {} : elsewhere)));
  const policy = create(OverflowPolicySchema, { maxDistanceM: 5000, wait: { seconds: 3600n } });
  const queued = await reserve({ overflowPolicy: policy });
  expect((await get(queued))?.queuedSiteIds).toEqual([siteId, otherId]);
  return { queued, there: held[7] ?? "" };
}

describe("whoever has a reservation at a site hears by event", () => {
  it("that it is paused and back in service: held, confirmed, waiting or with the parcel inside", async () => {
    const inside = await deposited();
    const [held, sure] = [await reserve(), await confirmed()];
    await reserve();
    const queued = await reserve(waiting);
    expect((await get(queued))?.state).toBe(ReservationState.QUEUED);
    await put({ lifecycle: MAINTENANCE });
    const paused = await toldOnce(5);
    expect([held, sure, queued, inside].map((id) => paused.get(id)?.map(({ kinds, canBeKept }) => [kinds, canBeKept]))).toEqual([
      [[[K.PAUSED], false]],
      [[[K.PAUSED], false]],
      [[[K.PAUSED], false]],
      [[[K.PAUSED], true]],
    ]);
    expect(await get(sure)).toMatchObject({ siteRevision: 1, siteChange: { siteRevision: 2, canBeKept: false } });
    await put({ lifecycle: ACTIVE });
    const back = await toldOnce(10);
    for (const id of [held, sure, queued, inside])
      expect(back.get(id)?.at(-1)).toMatchObject({ kinds: [K.BACK_IN_SERVICE], canBeKept: true });
    expect((await feedOf(operator)).filter(({ type }) => type === RESERVATION_SITE_CHANGED)).toHaveLength(10);
    const { events } = await courier.client.custody.getCustodyChain({ reservationId: sure });
    expect(events.map(({ type }) => type).slice(2)).toEqual([RESERVATION_SITE_CHANGED, RESERVATION_SITE_CHANGED]);
  });

  it("how far it moved, and that a retired site still keeps the reservation", async () => {
    const held = await reserve();
    await put({ position: makeSite({ ...position, latitude: 1.305 }).position }, LiveReservations.DRAIN);
    expect((await toldOnce(1)).get(held)).toMatchObject([{ kinds: [K.MOVED], movedM: 556, canBeKept: true }]);
    site = { ...site, position: makeSite({ ...position, latitude: 1.305 }).position } as Site;
    await retire(LiveReservations.DRAIN);
    expect((await toldOnce(2)).get(held)?.at(-1)).toMatchObject({ kinds: [K.RETIRED], canBeKept: true });
  });

  it("how far it has moved in all, which later changes do not undo: to leave stays free", async () => {
    site.terms = create(TermsSchema, {
      lateChangeFee: { currencyCode: "SGD", units: 2n },
      freeChangeBeforeDeposit: { seconds: 172_800n },
    });
    await put({});
    const [left, moved] = [await confirmed(), await confirmed()];
    const aside = (latitude: number) => ({ position: makeSite({ ...position, latitude }).position }) as Partial<Site>;
    await put(aside(1.3005));
    await toldOnce(2);
    clock.advance(1000);
    const cancel = (reservationId: string) =>
      courier.client.reservations.cancel({ requestId: randomUUID(), reservationId, reason: CancellationReason.OTHER });
    expect((await cancel(left)).reservation?.feeDue).toMatchObject({ units: 2n });
    await put(aside(1.301), LiveReservations.DRAIN);
    await toldOnce(3);
    await put({ ...aside(1.301), lifecycle: MAINTENANCE });
    await toldOnce(4);
    await put(aside(1.301));
    expect((await toldOnce(5)).get(moved)?.map(({ kinds, movedM }) => [kinds, movedM])).toEqual([
      [[K.MOVED], 56],
      [[K.MOVED], 112],
      [[K.PAUSED], 112],
      [[K.BACK_IN_SERVICE], 112],
    ]);
    expect((await cancel(moved)).reservation?.feeDue).toBeUndefined();
  });

  it("that its hours, services, purposes or sizes no longer serve the reservation, and nothing of changes that do not matter to it", async () => {
    const aged = await confirmed({ parcel: { ...parcel, requirements: [ParcelRequirement.AGE_CHECK] } });
    const back = await confirmed({ purpose: Purpose.RETURN });
    const small = await confirmed({ parcel: { widthMm: 10, heightMm: 10, depthMm: 10, massG: 10 } });
    await put({ services: [] });
    await toldOnce(1);
    await put({ services: [], purposes: [Purpose.DELIVERY] });
    const told = await toldOnce(2);
    const { sizeClasses } = makeSite({ ...position, classes: [["M", 20, 20, 20, 20_000, 4]] });
    const less = { services: [], purposes: [Purpose.DELIVERY], sizeClasses };
    await put(less);
    expect(told.get(aged)).toMatchObject([{ kinds: [K.SERVICES], canBeKept: false }]);
    expect(told.get(back)).toMatchObject([{ kinds: [K.PURPOSES], canBeKept: false }]);
    // Open again only after the time for the deposit.
    const openingHours = create(OpeningHoursSchema, {
      weekly: [{ openDay: DayOfWeek.WEDNESDAY, openMinute: 0, closeDay: DayOfWeek.WEDNESDAY, closeMinute: 600 }],
    });
    await put({ ...less, name: "Another name", openingHours });
    expect((await toldOnce(3)).get(small)).toMatchObject([{ kinds: expect.arrayContaining([K.HOURS]), canBeKept: false }]);
    // Nothing else was told before this, which everybody hears.
    await put({ ...less, openingHours, lifecycle: MAINTENANCE });
    await toldOnce(6);
  });
});

describe("whoever required more of a site than the parcel does", () => {
  it("hears when the site does not offer that any more", async () => {
    const amenities = {
      access: create(AccessSchema, { stepFree: true }),
      equipment: create(EquipmentSchema, { cardPayment: true }),
      sizeClasses: [{ ...(site.sizeClasses[0] as SizeClass), installed: 10, refrigerated: true, lowestCentreHeightMm: 500 }],
    };
    await put(amenities);
    // Saturday from 10 to 12.
    const [from, to] = ["2026-11-28T02:00:00Z", "2026-11-28T04:00:00Z"].map((at) => timestampFromMs(Date.parse(at)));
    const openWithin = { from, to, atLeast: { seconds: 3600n } };
    const wishes: MessageInitShape<typeof SiteRequirementsSchema>[] = [
      { stepFree: true, countryCodes: ["SG"] },
      { cardPayment: true },
      { refrigerated: true },
      { minCentreHeightMm: 400 },
      { openWithin } as MessageInitShape<typeof SiteRequirementsSchema>,
    ];
    const ids: string[] = [];
    for (const requirements of wishes) ids.push(await confirmed({ requirements }));
    const [stepFree = "", card = "", cool = "", high = "", hours = ""] = ids;
    const plain = await confirmed({ requirements: { anyCountry: true } as MessageInitShape<typeof SiteRequirementsSchema> });
    expect((await get(stepFree))?.requirements).toMatchObject({ stepFree: true, countryCodes: [] });
    expect((await get(plain))?.requirements).toBeUndefined();
    await put({ ...amenities, access: create(AccessSchema, {}) });
    expect((await toldOnce(1)).get(stepFree)).toMatchObject([{ kinds: [K.SERVICES], canBeKept: false }]);
    await put(amenities);
    expect((await toldOnce(2)).get(stepFree)?.at(-1)).toMatchObject({ kinds: [K.SERVICES], canBeKept: true });
    await put({ ...amenities, equipment: create(EquipmentSchema, {}) });
    expect((await toldOnce(3)).get(card)).toMatchObject([{ kinds: [K.SERVICES], canBeKept: false }]);
    const [sizeClass] = amenities.sizeClasses as [SizeClass];
    await put({ ...amenities, sizeClasses: [{ ...sizeClass, refrigerated: false }] });
    expect((await toldOnce(5)).get(cool)).toMatchObject([{ kinds: expect.arrayContaining([K.PLACES]), canBeKept: false }]);
    await put({ ...amenities, sizeClasses: [{ ...sizeClass, lowestCentreHeightMm: 300 }] });
    expect((await toldOnce(7)).get(high)).toMatchObject([{ kinds: [K.PLACES], canBeKept: false }]);
    const openingHours = create(OpeningHoursSchema, {
      weekly: [{ openDay: DayOfWeek.SATURDAY, openMinute: 0, closeDay: DayOfWeek.SATURDAY, closeMinute: 600 }],
    });
    await put({ ...amenities, openingHours });
    expect((await toldOnce(9)).get(hours)).toMatchObject([{ kinds: expect.arrayContaining([K.HOURS]), canBeKept: false }]);
    const moved = await courier.client.reservations.redirect({
      requestId: randomUUID(),
      reservationId: hours,
      place: { case: "siteId", value: otherId },
      reason: CancellationReason.SITE_PROBLEM,
    });
    expect(moved.reservation?.requirements).toBeUndefined();
  });
});

describe("whoever has a reservation for which a site has no place any more", () => {
  it("hears by event that it lacks one, leaves free of charge, and hears when there is one again", async () => {
    site.terms = create(TermsSchema, {
      lateChangeFee: { currencyCode: "SGD", units: 2n },
      freeChangeBeforeDeposit: { seconds: 172_800n },
    });
    await put({});
    const holders: string[] = [];
    for (let made = 0; made < 4; made++) {
      holders.push(await confirmed());
      clock.advance(1000);
    }
    const report = (outOfService: number) =>
      operator.client.directory.reportCapacity({
        requestId: randomUUID(),
        sites: [
          {
            siteId,
            observedAt: timestampFromMs(clock.now()),
            sizeClasses: [{ sizeClassId: "M", free: 4 - outOfService, outOfService }],
          },
        ],
      });
    await report(2);
    const told = await toldOnce(2);
    const lost = { kinds: [K.PLACES], lacksPlace: true, canBeKept: false };
    expect(holders.map((id) => told.get(id))).toMatchObject([undefined, undefined, [lost], [lost]]);
    const [, , third = "", fourth = ""] = holders;
    expect((await get(third))?.siteChange).toMatchObject(lost);
    await report(1);
    expect((await toldOnce(3)).get(third)?.at(-1)).toMatchObject({ kinds: [K.PLACES], lacksPlace: false, canBeKept: true });
    const { reservation } = await courier.client.reservations.cancel({
      requestId: randomUUID(),
      reservationId: fourth,
      reason: CancellationReason.SITE_PROBLEM,
    });
    expect(reservation?.feeDue).toBeUndefined();
  });

  it("hears so when a late deposit takes its place, also where no site reports, and hears when there is one again", async () => {
    siteId = await network.putSite(operator, makeSite({ ...position, ref: "one", classes: [["M", 400, 200, 500, 20_000, 1]] }));
    const late = await confirmed();
    const agent = await network.reporterAt(operator, siteId);
    const occurredAt = timestampFromMs(clock.now());
    clock.advance(48 * 3_600_000);
    await expect.poll(async () => (await get(late))?.state).toBe(ReservationState.NO_SHOW);
    const next = await confirmed();
    await agent.report({ type: DeviceEventType.PARCEL_DEPOSITED, reservationId: late, occurredAt });
    expect((await toldOnce(1)).get(next)).toMatchObject([{ kinds: [K.PLACES], lacksPlace: true, canBeKept: false }]);
    await agent.report({ type: DeviceEventType.PARCEL_COLLECTED, reservationId: late });
    expect((await toldOnce(2)).get(next)?.at(-1)).toMatchObject({ kinds: [K.PLACES], lacksPlace: false, canBeKept: true });
  });
});

describe("a retirement that cancels", () => {
  it("ends what is held, confirmed or waits, free of charge, and offers to redirect; parcels inside stay", async () => {
    const inside = await deposited();
    const [held, sure] = [await reserve(), await confirmed()];
    await reserve();
    const queued = await reserve(waiting);
    await retire(LiveReservations.CANCEL);
    const told = await toldOnce(5);
    const ended = (await feedOf(courier)).filter(({ type }) => type === RESERVATION_CANCELLED);
    expect(ended.map(({ cancellationReason, feeDue }) => [cancellationReason, feeDue])).toEqual(
      Array.from({ length: 4 }, () => [CancellationReason.SITE_PROBLEM, undefined]),
    );
    expect(told.get(inside)).toMatchObject([{ kinds: [K.RETIRED], canBeKept: true, cancelled: false }]);
    for (const id of [held, sure, queued]) expect(told.get(id)).toMatchObject([{ kinds: [K.RETIRED], canBeKept: false, cancelled: true }]);
    const redirect = (reservationId: string, requestId = randomUUID()) =>
      courier.client.reservations.redirect({
        requestId,
        reservationId,
        place: { case: "siteId", value: otherId },
        reason: CancellationReason.SITE_PROBLEM,
      });
    const requestId = randomUUID();
    const moved = await redirect(sure, requestId);
    expect(moved.reservation).toMatchObject({ state: ReservationState.HELD, siteId: otherId, redirectedFrom: sure });
    expect(moved.redirected).toMatchObject({ state: ReservationState.CANCELLED, redirectedTo: moved.reservation?.reservationId });
    expect(await redirect(sure, requestId)).toEqual(moved);
    await expect(redirect(sure)).rejects.toSatisfy((error) => reasonOf(error) === "ILLEGAL_STATE");
    const agent = await network.reporterAt(operator, siteId);
    await agent.report({ type: DeviceEventType.PARCEL_COLLECTED, reservationId: inside });
    expect((await get(inside))?.state).toBe(ReservationState.COLLECTED);
  });

  it("ends what got its place there after it had waited at another site, whatever was told of that one", async () => {
    const { queued, there } = await waitingAtBoth();
    for (const name of ["Second", "Third", "Fourth"]) await put({ name });
    await put({ position: makeSite({ ...position, latitude: 1.305 }).position }, LiveReservations.DRAIN);
    await toldOnce(5);
    await courier.client.reservations.cancel({ requestId: randomUUID(), reservationId: there, reason: CancellationReason.OTHER });
    expect(await get(queued)).toMatchObject({ state: ReservationState.HELD, siteId: otherId, siteChange: { siteId, siteRevision: 5 } });
    await operator.client.directory.retireSites({
      requestId: randomUUID(),
      siteIds: [otherId],
      liveReservations: LiveReservations.CANCEL,
    });
    await toldOnce(9);
    expect(await get(queued)).toMatchObject({ state: ReservationState.CANCELLED, siteChange: { siteId: otherId, movedM: 0 } });
  });

  it("tells who waits there too that the site moves, and gives them no place there any more", async () => {
    const { queued, there } = await waitingAtBoth();
    const moved = makeSite({ ...position, latitude: 1.305, ref: "there" });
    await operator.client.directory.upsertSites({ requestId: randomUUID(), sites: [moved], liveReservations: LiveReservations.CANCEL });
    const told = await toldOnce(5);
    expect(told.get(queued)).toMatchObject([{ siteId: otherId, kinds: [K.MOVED], movedM: 556, siteRevision: 2, canBeKept: true }]);
    expect((await get(there))?.state).toBe(ReservationState.CANCELLED);
    expect(await get(queued)).toMatchObject({ state: ReservationState.QUEUED, siteChange: { siteId, movedM: 0 } });
    // Nor if that site changes once more, though it has places for new ones.
    await operator.client.directory.upsertSites({ requestId: randomUUID(), sites: [{ ...moved, name: "Renamed" }] });
    expect((await get(queued))?.state).toBe(ReservationState.QUEUED);
    await retire(LiveReservations.DRAIN);
    expect((await toldOnce(10)).get(queued)?.at(-1)).toMatchObject({ kinds: [K.RETIRED], canBeKept: false });
  });

  it("ends what waits nowhere any more, whichever of its sites was the last", async () => {
    const { queued } = await waitingAtBoth();
    await retire(LiveReservations.CANCEL);
    await toldOnce(4);
    await operator.client.directory.retireSites({ requestId: randomUUID(), siteIds: [otherId], liveReservations: LiveReservations.CANCEL });
    const told = (await toldOnce(9)).get(queued);
    expect(told).toMatchObject([{ siteId: otherId, kinds: [K.RETIRED], siteRevision: 2, canBeKept: false, cancelled: true }]);
    expect((await get(queued))?.state).toBe(ReservationState.CANCELLED);
    const ended = (await feedOf(courier)).find(({ type, reservationId }) => type === RESERVATION_CANCELLED && reservationId === queued);
    expect([ended?.cancellationReason, ended?.feeDue]).toEqual([CancellationReason.SITE_PROBLEM, undefined]);
  });

  it("leaves a reservation waiting that also waits at another site", async () => {
    const { queued } = await waitingAtBoth();
    await retire(LiveReservations.CANCEL);
    await toldOnce(4);
    expect(await get(queued)).toMatchObject({ state: ReservationState.QUEUED });
    await operator.client.directory.retireSites({ requestId: randomUUID(), siteIds: [otherId], liveReservations: LiveReservations.DRAIN });
    const told = await toldOnce(9);
    expect(told.get(queued)).toMatchObject([{ kinds: [K.RETIRED], canBeKept: false }]);
  });
});
