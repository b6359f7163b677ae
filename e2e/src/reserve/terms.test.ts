import { randomUUID } from "node:crypto";
import { create, type MessageInitShape, toJson } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import {
  CancellationReason,
  DeviceEventType,
  EventType,
  Mode,
  type Money,
  MoneySchema,
  ReservationState,
  Role,
  reasonOf,
  TermsSchema,
} from "@petak/protocol";
import { createFrozenClock, type FrozenClock, makeSite, useRedis } from "@petak/testkit";
import { type SiteReporter, startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { beforeEach, describe, expect, it } from "vitest";

const redis = useRedis();
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const origin = { latitude: 1.3, longitude: 103.8 };
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const classes: [string, number, number, number, number, number][] = [["M", 400, 200, 500, 20_000, 9]];
const seconds = (ms: number) => ({ seconds: BigInt(ms / 1000), nanos: 0 });
const dollars = (units: number, cents = 0) => create(MoneySchema, { currencyCode: "SGD", units: BigInt(units), nanos: cents * 10_000_000 });

/** Terms of a strict site: every field differs from the gateway's default. */
const strict = {
  freeStorage: seconds(2 * dayMs),
  longestStorage: seconds(4 * dayMs),
  extensionPricePerDay: dollars(1, 50),
  freeChangeBeforeDeposit: seconds(6 * hourMs),
  lateChangeFee: dollars(3),
  noShowAfter: seconds(12 * hourMs),
  noShowFee: dollars(5, 5),
};

let clock: FrozenClock;
let network: TestNetwork;
let operator: TestParticipant;
let courier: TestParticipant;
let siteId: string;
let otherId: string;
let agent: SiteReporter;

type TermsInit = MessageInitShape<typeof TermsSchema>;

beforeEach(async () => {
  clock = createFrozenClock(Math.floor(Date.now() / 1000) * 1000);
  network = await startTestNetwork({ redis, now: clock.now });
  operator = await network.join("Operator", [Role.OPERATOR]);
  courier = await network.join("Courier", [Role.COURIER]);
  siteId = await put("site-1", strict);
  otherId = await put("site-2");
  agent = await network.reporterAt(operator, siteId);
  return () => network.stop();
});

async function put(ref: string, terms?: TermsInit): Promise<string> {
  const latitude = ref === "site-1" ? origin.latitude : origin.latitude + 0.01;
  const site = { ...makeSite({ ...origin, latitude, ref, classes }), ...(terms && { terms: create(TermsSchema, terms) }) };
  return await network.putSite(operator, site);
}

const hold = (at = siteId) =>
  courier.client.reservations.reserve({ requestId: randomUUID(), place: { case: "siteId", value: at }, parcel });

async function confirmed(depositWithinMs = 10 * hourMs): Promise<string> {
  const { reservation } = await hold();
  const reservationId = reservation?.reservationId ?? "";
  await courier.client.reservations.confirm({ requestId: randomUUID(), reservationId, depositWithin: seconds(depositWithinMs) });
  return reservationId;
}

async function deposited(): Promise<string> {
  const reservationId = await confirmed();
  await agent.report({ type: DeviceEventType.PARCEL_DEPOSITED, reservationId });
  return reservationId;
}

const read = (reservationId: string) => courier.client.reservations.getReservation({ reservationId });
const feeOf = async (reservationId: string) => (await read(reservationId)).reservation?.feeDue;
const lastEvent = async (reservationId: string) => (await courier.client.custody.getCustodyChain({ reservationId })).events.at(-1);
const cancel = (by: TestParticipant, reservationId: string) =>
  by.client.reservations.cancel({ requestId: randomUUID(), reservationId, reason: CancellationReason.OTHER });
const extend = (by: TestParticipant, reservationId: string, untilMs: number) =>
  by.client.reservations.extend({ requestId: randomUUID(), reservationId, until: timestampFromMs(untilMs) });

/** Terms without their id. */
const said = (terms: TermsInit | undefined) => toJson(TermsSchema, create(TermsSchema, { ...terms, termsId: "" }));

describe("The terms of a place", () => {
  it("are in the offer, at the site, in the response to Reserve and in the reservation", async () => {
    const { options } = await courier.client.directory.findNearest({ origin, parcel });
    expect(options.map(({ site }) => said(site?.terms))).toEqual([
      said(strict),
      said({ freeStorage: seconds(3 * dayMs), longestStorage: seconds(14 * dayMs), noShowAfter: seconds(7 * dayMs) }),
    ]);
    const { site, terms } = await courier.client.directory.getSite({ siteId });
    expect([said(site?.terms), said(terms)]).toEqual([said(strict), said(strict)]);
    const { reservation, site: agreedAt } = await hold();
    expect(reservation?.termsId).toBe(agreedAt?.terms?.termsId);
    expect(await read(reservation?.reservationId ?? "")).toEqual(expect.objectContaining({ reservation, terms: agreedAt?.terms }));
    expect(said(agreedAt?.terms)).toEqual(said(strict));
  });

  it("combine those of the site, its operator and the gateway, in this order", async () => {
    const site3 = await put("site-3", { lateChangeFee: dollars(1) });
    const setTo = (terms: TermsInit) => operator.client.directory.setDefaultTerms({ requestId: randomUUID(), terms });
    await setTo({ freeStorage: seconds(hourMs), lateChangeFee: dollars(2), noShowFee: dollars(0) });
    const termsAt = async (id: string) => said((await courier.client.directory.getSite({ siteId: id })).terms);
    const gatewayLimits = { longestStorage: seconds(14 * dayMs), noShowAfter: seconds(7 * dayMs) };
    expect(await termsAt(site3)).toEqual(said({ ...gatewayLimits, freeStorage: seconds(hourMs), lateChangeFee: dollars(1) }));
    expect(await termsAt(otherId)).toEqual(said({ ...gatewayLimits, freeStorage: seconds(hourMs), lateChangeFee: dollars(2) }));
    expect(await termsAt(siteId)).toEqual(said(strict));
    // Free storage is limited to the site's longest storage.
    await setTo({ freeStorage: seconds(10 * dayMs), longestStorage: seconds(10 * dayMs) });
    const site4 = await put("site-4", { longestStorage: seconds(dayMs) });
    expect(await termsAt(site4)).toEqual(said({ ...gatewayLimits, freeStorage: seconds(dayMs), longestStorage: seconds(dayMs) }));
  });

  it("let a parcel become overdue within the hour in the test network only", async () => {
    const terms = { freeStorage: { seconds: 60n } };
    const asked = () => ({ requestId: randomUUID(), terms });
    const live = await network.withMode(operator, Mode.LIVE);
    const refused = await live.client.directory.setDefaultTerms(asked()).catch(reasonOf);
    expect(refused).toBe("INVALID_FIELD");
    await operator.client.directory.setDefaultTerms(asked());
    expect((await courier.client.directory.getSite({ siteId: otherId })).terms?.freeStorage).toMatchObject(terms.freeStorage);
  });

  it("are refused if they contradict each other, and a repeated request changes them once", async () => {
    const wrong = { freeStorage: seconds(2 * dayMs), longestStorage: seconds(dayMs) };
    const reason = async (work: Promise<unknown>) => reasonOf(await work.catch((error: unknown) => error));
    expect(await reason(put("site-5", wrong))).toBe("INVALID_FIELD");
    const request = { requestId: randomUUID(), terms: { freeStorage: seconds(hourMs) } };
    expect(await reason(operator.client.directory.setDefaultTerms({ ...request, terms: wrong }))).toBe("INVALID_FIELD");
    await operator.client.directory.setDefaultTerms(request);
    await operator.client.directory.setDefaultTerms({ requestId: randomUUID(), terms: { freeStorage: seconds(2 * hourMs) } });
    await operator.client.directory.setDefaultTerms(request);
    expect((await courier.client.directory.getSite({ siteId: otherId })).terms?.freeStorage).toMatchObject(seconds(2 * hourMs));
    expect(await reason(operator.client.directory.setDefaultTerms({ ...request, terms: {} }))).toBe("REQUEST_ID_REUSED");
  });

  it("of a reservation stay the same when its operator changes its own", async () => {
    const requestId = randomUUID();
    const request = { requestId, place: { case: "siteId", value: siteId } as const, parcel };
    const first = await courier.client.reservations.reserve(request);
    const reservationId = first.reservation?.reservationId ?? "";
    await put("site-1", { freeStorage: seconds(hourMs), longestStorage: seconds(hourMs), noShowAfter: seconds(hourMs) });
    expect(await courier.client.reservations.reserve(request)).toEqual(
      expect.objectContaining({ reservation: first.reservation, site: expect.objectContaining({ terms: first.site?.terms }) }),
    );
    expect(said((await read(reservationId)).terms)).toEqual(said(strict));
    await courier.client.reservations.confirm({ requestId: randomUUID(), reservationId });
    await agent.report({ type: DeviceEventType.PARCEL_DEPOSITED, reservationId });
    const { reservation } = await extend(courier, reservationId, clock.now() + 10 * dayMs);
    expect(reservation?.collectUntil).toEqual(timestampFromMs(clock.now() + 4 * dayMs));
    const { reservation: next } = await hold();
    expect((await read(next?.reservationId ?? "")).terms?.freeStorage).toMatchObject(seconds(hourMs));
  });
});

describe("A deadline", () => {
  it("for the deposit follows the terms, and its fee is due afterwards", async () => {
    const reservationId = await confirmed(7 * dayMs);
    const { reservation } = await read(reservationId);
    expect(reservation?.depositUntil).toEqual(timestampFromMs(clock.now() + 12 * hourMs));
    clock.advance(hourMs);
    const extended = await extend(courier, reservationId, clock.now() + 7 * dayMs);
    expect(extended.reservation?.depositUntil).toEqual(timestampFromMs(clock.now() + 12 * hourMs));
    clock.advance(12 * hourMs);
    await expect.poll(async () => (await read(reservationId)).reservation?.state).toBe(ReservationState.NO_SHOW);
    expect(await feeOf(reservationId)).toEqual(dollars(5, 5));
    expect(await lastEvent(reservationId)).toMatchObject({ type: EventType.RESERVATION_NO_SHOW, feeDue: dollars(5, 5) });
  });

  it("for the deposit costs nothing if a late report says that the depositor came in time", async () => {
    const reservationId = await confirmed();
    clock.advance(11 * hourMs);
    await expect.poll(async () => (await read(reservationId)).reservation?.state).toBe(ReservationState.NO_SHOW);
    const occurredAt = timestampFromMs(clock.now() - 2 * hourMs);
    await agent.report({ type: DeviceEventType.PARCEL_DEPOSITED, reservationId, occurredAt });
    const { reservation } = await read(reservationId);
    expect(reservation).toMatchObject({ state: ReservationState.DEPOSITED });
    expect(reservation?.feeDue).toBeUndefined();
  });

  it("for free storage follows the terms, and the parcel is then overdue", async () => {
    const reservationId = await deposited();
    const { reservation } = await read(reservationId);
    expect(timestampMs(reservation?.collectUntil ?? timestampFromMs(0))).toBe(clock.now() + 2 * dayMs);
    clock.advance(2 * dayMs);
    await expect.poll(async () => (await lastEvent(reservationId))?.type).toBe(EventType.PARCEL_OVERDUE);
  });
});

describe("A cancellation", () => {
  it("costs nothing before the limit for free changes, and the fee after it", async () => {
    const [early, late] = [await confirmed(), await confirmed()];
    const { reservation } = await read(early);
    expect(reservation?.freeChangeUntil).toEqual(timestampFromMs(clock.now() + 4 * hourMs));
    clock.advance(4 * hourMs);
    expect((await cancel(courier, early)).reservation?.feeDue).toBeUndefined();
    expect((await lastEvent(early))?.feeDue).toBeUndefined();
    clock.advance(1);
    const request = { requestId: randomUUID(), reservationId: late, reason: CancellationReason.OTHER };
    const answer = await courier.client.reservations.cancel(request);
    expect(answer.reservation).toMatchObject({ state: ReservationState.CANCELLED, feeDue: dollars(3) });
    expect(await courier.client.reservations.cancel(request)).toEqual(answer);
    expect(await lastEvent(late)).toMatchObject({ type: EventType.RESERVATION_CANCELLED, feeDue: dollars(3) });
  });

  it("costs nothing if the operator cancels or the hold was not confirmed", async () => {
    const [ofOperator, held] = [await confirmed(), (await hold()).reservation?.reservationId ?? ""];
    expect((await cancel(courier, held)).reservation?.feeDue).toBeUndefined();
    clock.advance(9 * hourMs);
    expect((await cancel(operator, ofOperator)).reservation?.feeDue).toBeUndefined();
  });

  it("does not become free by an extension", async () => {
    const reservationId = await confirmed();
    clock.advance(9 * hourMs);
    await extend(courier, reservationId, clock.now() + 12 * hourMs);
    expect((await cancel(courier, reservationId)).reservation?.feeDue).toEqual(dollars(3));
  });

  it("costs the same if the parcel is redirected, on the terms of the new place", async () => {
    const reservationId = await confirmed();
    clock.advance(5 * hourMs);
    const { reservation, redirected, site } = await courier.client.reservations.redirect({
      requestId: randomUUID(),
      reservationId,
      place: { case: "siteId", value: otherId },
      reason: CancellationReason.REROUTED,
    });
    expect(redirected?.feeDue).toEqual(dollars(3));
    expect(await lastEvent(reservationId)).toMatchObject({ type: EventType.RESERVATION_CANCELLED, feeDue: dollars(3) });
    expect(reservation).toMatchObject({ state: ReservationState.CONFIRMED, termsId: site?.terms?.termsId });
    expect([reservation?.feeDue, reservation?.freeChangeUntil]).toEqual([undefined, undefined]);
    expect(site?.terms?.freeStorage).toMatchObject(seconds(3 * dayMs));
  });
});

describe("An extension of the storage", () => {
  it("costs each day begun after the free storage, in total", async () => {
    const reservationId = await deposited();
    const freeUntilMs = clock.now() + 2 * dayMs;
    const dueAfter = async (by: TestParticipant, untilMs: number): Promise<Money | undefined> =>
      (await extend(by, reservationId, untilMs)).reservation?.feeDue;
    expect(await dueAfter(courier, freeUntilMs + hourMs)).toEqual(dollars(1, 50));
    expect(await lastEvent(reservationId)).toMatchObject({ type: EventType.RESERVATION_EXTENDED, feeDue: dollars(1, 50) });
    // Still within the day that has begun.
    expect(await dueAfter(courier, freeUntilMs + dayMs)).toEqual(dollars(1, 50));
    expect(await dueAfter(courier, freeUntilMs + 5 * dayMs)).toEqual(dollars(3));
    expect((await read(reservationId)).reservation?.collectUntil).toEqual(timestampFromMs(freeUntilMs + 2 * dayMs));
  });

  it("costs nothing if the operator extends", async () => {
    const reservationId = await deposited();
    expect((await extend(operator, reservationId, clock.now() + 4 * dayMs)).reservation?.feeDue).toBeUndefined();
  });
});
