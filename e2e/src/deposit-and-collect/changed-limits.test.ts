import { randomUUID } from "node:crypto";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { Act, CancellationReason, DeviceEventType, DoubtOutcome, EventType, ReservationState, Role, reasonOf } from "@petak/protocol";
import { createFrozenClock, type FrozenClock, makeSite, useRedis } from "@petak/testkit";
import { type SiteReporter, startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { beforeEach, describe, expect, it } from "vitest";

const redis = useRedis();
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const origin = { latitude: 1.3, longitude: 103.8 };
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
let clock: FrozenClock;
let network: TestNetwork;
let operator: TestParticipant;
let courier: TestParticipant;
let siteId: string;
let agent: SiteReporter;

beforeEach(async () => {
  clock = createFrozenClock(Math.floor(Date.now() / 1000) * 1000);
  const overrides = { now: clock.now, holdMaxMs: dayMs, collectWithinMs: 3 * dayMs, storageMaxMs: 5 * dayMs };
  network = await startTestNetwork({ redis, ...overrides });
  operator = await network.join("Operator", [Role.OPERATOR]);
  courier = await network.join("Courier", [Role.COURIER]);
  const classes: [string, number, number, number, number, number][] = [["M", 400, 200, 500, 20_000, 9]];
  const sites = [makeSite({ ...origin, classes }), makeSite({ ...origin, latitude: 1.31, ref: "site-2", classes })];
  [siteId = ""] = await network.putSites(operator, ...sites);
  agent = await network.reporterAt(operator, siteId);
  return () => network.stop();
});

async function hold(): Promise<string> {
  const place = { case: "siteId", value: siteId } as const;
  const { reservation } = await courier.client.reservations.reserve({ requestId: randomUUID(), place, parcel });
  return reservation?.reservationId ?? "";
}

async function confirmed(): Promise<string> {
  const reservationId = await hold();
  await courier.client.reservations.confirm({ requestId: randomUUID(), reservationId });
  return reservationId;
}

async function deposited(): Promise<string> {
  const reservationId = await confirmed();
  await agent.report({ type: DeviceEventType.PARCEL_DEPOSITED, reservationId });
  return reservationId;
}

const extend = (by: TestParticipant, reservationId: string, untilMs: number) =>
  by.client.reservations.extend({ requestId: randomUUID(), reservationId, until: timestampFromMs(untilMs) });

const reasonFor = async (work: Promise<unknown>) => reasonOf(await work.catch((error: unknown) => error));

const typesOf = async (reservationId: string) =>
  (await courier.client.custody.getCustodyChain({ reservationId })).events.map(({ type }) => type);

describe("Extend", () => {
  it("changes the limit of the hold, and the clock applies the new one", async () => {
    const requestId = randomUUID();
    const place = { case: "siteId", value: siteId } as const;
    const first = await courier.client.reservations.reserve({ requestId, place, parcel });
    const reservationId = first.reservation?.reservationId ?? "";
    const untilMs = clock.now() + 2 * hourMs;
    const { reservation } = await extend(courier, reservationId, untilMs);
    expect(reservation).toMatchObject({ state: ReservationState.HELD, holdExpiresAt: timestampFromMs(untilMs) });
    // A repeated Reserve gets its first response.
    expect(await courier.client.reservations.reserve({ requestId, place, parcel })).toEqual(first);
    clock.advance(hourMs);
    await courier.client.reservations.confirm({ requestId: randomUUID(), reservationId });
    const second = await hold();
    await extend(courier, second, clock.now() + hourMs);
    clock.advance(hourMs);
    const stateOf = async () => (await courier.client.reservations.getReservation({ reservationId: second })).reservation?.state;
    await expect.poll(stateOf).toBe(ReservationState.EXPIRED);
    expect(await typesOf(second)).toEqual([EventType.RESERVATION_HELD, EventType.RESERVATION_EXTENDED, EventType.RESERVATION_EXPIRED]);
  });

  it("extends the collection, up to the longest storage, and the PIN with it", async () => {
    const reservationId = await confirmed();
    await courier.client.reservations.issueCredential({ requestId: randomUUID(), reservationId, act: Act.COLLECT, withPin: true });
    await agent.report({ type: DeviceEventType.PARCEL_DEPOSITED, reservationId });
    const depositedMs = clock.now();
    const { agents } = network.clientFor(await network.agentSigner(operator, siteId));
    const pinEndsMs = async () => {
      const { allowances } = await agents.sync({ siteId });
      const collect = allowances.find(({ act }) => act === Act.COLLECT);
      return collect?.expiresAt && timestampMs(collect.expiresAt);
    };
    const { reservation } = await extend(courier, reservationId, depositedMs + 30 * dayMs);
    expect(reservation?.collectUntil).toEqual(timestampFromMs(depositedMs + 5 * dayMs));
    expect(await pinEndsMs()).toBe(depositedMs + 5 * dayMs);
    expect(await reasonFor(extend(courier, reservationId, depositedMs + 30 * dayMs))).toBe("EXTENSION_EXHAUSTED");
    expect(await reasonFor(extend(courier, reservationId, depositedMs + dayMs))).toBe("INVALID_FIELD");
  });

  it("is permitted to the operator while the parcel is inside, and to nobody else", async () => {
    const [held, inside] = [await hold(), await deposited()];
    expect(await reasonFor(extend(operator, held, clock.now() + hourMs))).toBe("ILLEGAL_STATE");
    await extend(operator, inside, clock.now() + 4 * dayMs);
    const stranger = await network.join("Stranger", [Role.COURIER]);
    expect(await reasonFor(extend(stranger, inside, clock.now() + 4.5 * dayMs))).toBe("RESERVATION_NOT_FOUND");
  });

  it("has no effect when repeated, and none after the limit", async () => {
    const reservationId = await confirmed();
    const request = { requestId: randomUUID(), reservationId, until: timestampFromMs(clock.now() + 2 * dayMs) };
    const first = await courier.client.reservations.extend(request);
    expect(await courier.client.reservations.extend(request)).toEqual(first);
    expect((await typesOf(reservationId)).filter((type) => type === EventType.RESERVATION_EXTENDED)).toHaveLength(1);
    clock.advance(2 * dayMs);
    expect(await reasonFor(extend(courier, reservationId, clock.now() + dayMs))).toBe("ILLEGAL_STATE");
  });
});

describe("a parcel that is not collected in time", () => {
  it("is reported as overdue once for each limit that it passes, and can still be collected", async () => {
    const reservationId = await deposited();
    const overdue = async () => (await typesOf(reservationId)).filter((type) => type === EventType.PARCEL_OVERDUE).length;
    clock.advance(3 * dayMs);
    await expect.poll(overdue).toBe(1);
    await extend(courier, reservationId, clock.now() + dayMs);
    clock.advance(dayMs);
    await expect.poll(overdue).toBe(2);
    await agent.report({ type: DeviceEventType.PARCEL_COLLECTED, reservationId });
    const { reservation } = await courier.client.reservations.getReservation({ reservationId });
    expect(reservation?.state).toBe(ReservationState.COLLECTED);
    expect(await overdue()).toBe(2);
  });
});

describe("Redirect", () => {
  it("moves the reservation to another site, and the credentials of the old place no longer open anything", async () => {
    const reservationId = await confirmed();
    await courier.client.reservations.issueCredential({ requestId: randomUUID(), reservationId, act: Act.COLLECT, withPin: true });
    const request = {
      requestId: randomUUID(),
      reservationId,
      place: { case: "nearest", value: { origin } } as const,
      reason: CancellationReason.SITE_PROBLEM,
    };
    const { reservation, redirected, site } = await courier.client.reservations.redirect(request);
    expect(reservation).toMatchObject({ state: ReservationState.CONFIRMED, redirectedFrom: reservationId });
    expect(reservation?.siteId).not.toBe(siteId);
    expect(site?.siteId).toBe(reservation?.siteId);
    expect(redirected).toMatchObject({ state: ReservationState.CANCELLED, redirectedTo: reservation?.reservationId });
    const agent = network.clientFor(await network.agentSigner(operator, siteId));
    const { allowances } = await agent.agents.sync({ siteId });
    expect(allowances).toMatchObject([{ reservationId, act: Act.DEPOSIT, state: ReservationState.CANCELLED }]);
    const { events } = await courier.client.custody.getCustodyChain({ reservationId });
    expect(events.at(-1)).toMatchObject({
      type: EventType.RESERVATION_CANCELLED,
      cancellationReason: CancellationReason.SITE_PROBLEM,
      relatedReservationId: reservation?.reservationId,
    });
    // The new reservation is deposited like any other.
    const credential = { requestId: randomUUID(), reservationId: reservation?.reservationId ?? "", act: Act.DEPOSIT };
    expect((await courier.client.reservations.issueCredential(credential)).accessToken).not.toBe("");
  });
});

describe("ResolveDoubt", () => {
  it.each([
    [DoubtOutcome.COLLECTED, ReservationState.COLLECTED, EventType.PARCEL_COLLECTED],
    [DoubtOutcome.RECALLED, ReservationState.RECALLED, EventType.PARCEL_RECALLED],
    [DoubtOutcome.NO_PARCEL, ReservationState.NO_SHOW, EventType.RESERVATION_NO_SHOW],
  ])("ends a doubt with the outcome that the operator states (%i), and frees the place", async (outcome, state, type) => {
    const reservationId = await confirmed();
    await agent.report({ type: DeviceEventType.DOUBT, reservationId });
    const free = async () => {
      const { availabilities } = await courier.client.directory.getAvailability({ siteIds: [siteId] });
      return availabilities[0]?.sizeClasses[0]?.freeToPromise;
    };
    expect(await free()).toBe(8);
    const request = { requestId: randomUUID(), reservationId, outcome };
    expect(await reasonFor(courier.client.reservations.resolveDoubt(request))).toBe("ROLE_REQUIRED");
    const { reservation } = await operator.client.reservations.resolveDoubt(request);
    expect(reservation?.state).toBe(state);
    expect((await typesOf(reservationId)).at(-1)).toBe(type);
    expect(await free()).toBe(9);
    expect(await reasonFor(operator.client.reservations.resolveDoubt({ ...request, requestId: randomUUID() }))).toBe("ILLEGAL_STATE");
  });
});
