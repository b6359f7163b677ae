import { randomUUID } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  Act,
  CancellationReason,
  DeviceEventType,
  LiveReservations,
  MoneySchema,
  ReservationState,
  Role,
  reasonOf,
  type Site,
  SiteLifecycle,
  TermsSchema,
} from "@petak/protocol";
import { createFrozenClock, type FrozenClock, makeSite, useRedis } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { beforeEach, describe, expect, it } from "vitest";

const redis = useRedis();
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const position = { latitude: 1.3, longitude: 103.8 };
const hourMs = 3_600_000;
const seconds = (ms: number) => ({ seconds: BigInt(ms / 1000), nanos: 0 });
const dollars = (units: bigint) => create(MoneySchema, { currencyCode: "SGD", units });
const { REFUSE, DRAIN } = LiveReservations;
const { ACTIVE, MAINTENANCE, DECOMMISSIONED, UNSPECIFIED } = SiteLifecycle;

/** Every late change and every no-show costs something. */
const dear = create(TermsSchema, { freeChangeBeforeDeposit: seconds(48 * hourMs), lateChangeFee: dollars(3n), noShowFee: dollars(5n) });

let clock: FrozenClock;
let network: TestNetwork;
let operator: TestParticipant;
let courier: TestParticipant;
let site: Site;
let siteId: string;
let otherId: string;

beforeEach(async () => {
  clock = createFrozenClock(Math.floor(Date.now() / 1000) * 1000);
  network = await startTestNetwork({ redis, now: clock.now });
  operator = await network.join("Operator", [Role.OPERATOR]);
  courier = await network.join("Courier", [Role.COURIER]);
  site = { ...makeSite({ ...position, ref: "here" }), terms: dear };
  siteId = await network.putSite(operator, site);
  otherId = await network.putSite(operator, makeSite({ ...position, latitude: 1.31, ref: "there" }));
  return () => network.stop();
});

const put = (change: Partial<Site>, liveReservations?: LiveReservations) =>
  operator.client.directory.upsertSites({
    requestId: randomUUID(),
    sites: [{ ...site, ...change }],
    ...(liveReservations && { liveReservations }),
  });
const retire = (siteIds: string[], liveReservations?: LiveReservations) =>
  operator.client.directory.retireSites({ requestId: randomUUID(), siteIds, ...(liveReservations && { liveReservations }) });
const pause = () => put({ lifecycle: MAINTENANCE });

async function hold(): Promise<string> {
  const { reservation } = await courier.client.reservations.reserve({
    requestId: randomUUID(),
    place: { case: "siteId", value: siteId },
    parcel,
  });
  return reservation?.reservationId ?? "";
}
const confirm = (reservationId: string) => courier.client.reservations.confirm({ requestId: randomUUID(), reservationId });
const issue = (reservationId: string, act: Act) =>
  courier.client.reservations.issueCredential({ requestId: randomUUID(), reservationId, act });
const stateOf = async (reservationId: string) => (await courier.client.reservations.getReservation({ reservationId })).reservation?.state;
const lifecycleOf = async (id: string) => (await courier.client.directory.getSite({ siteId: id })).site?.lifecycle;

const credential = async (reservationId: string, act: Act) => ({ token: (await issue(reservationId, act)).accessToken });
const openTerminal = () =>
  network.openTerminal(operator, siteId, {
    cabinet: ["A1", "A2"].map((compartmentId) => ({ compartmentId, sizeClassId: site.sizeClasses[0]?.sizeClassId ?? "" })),
    // It hears of changes when the test says so.
    after: () => () => {},
  });

async function confirmed(): Promise<string> {
  const reservationId = await hold();
  await confirm(reservationId);
  return reservationId;
}

describe("at a site that is paused", () => {
  it("nothing can be confirmed and no credential to deposit is issued, also in a batch, until it is back in service", async () => {
    const [held, sure] = [await hold(), await confirmed()];
    await pause();
    await expect(confirm(held)).rejects.toSatisfy((error) => reasonOf(error) === "SITE_OUT_OF_SERVICE");
    await expect(issue(sure, Act.DEPOSIT)).rejects.toSatisfy((error) => reasonOf(error) === "SITE_OUT_OF_SERVICE");
    const { results } = await courier.client.reservations.batch({
      calls: [
        { call: { case: "confirm", value: { requestId: randomUUID(), reservationId: held } } },
        { call: { case: "issueCredential", value: { requestId: randomUUID(), reservationId: sure, act: Act.DEPOSIT } } },
      ],
    });
    const errors = results.map(({ result }) => (result.case === "error" ? result.value.reason : result.case));
    expect(errors).toEqual(["SITE_OUT_OF_SERVICE", "SITE_OUT_OF_SERVICE"]);
    await put({ lifecycle: ACTIVE });
    await confirm(held);
    expect((await issue(sure, Act.DEPOSIT)).accessToken).not.toBe("");
  });

  it("a parcel that is inside can still be collected", async () => {
    const reservationId = await confirmed();
    const agent = await network.reporterAt(operator, siteId);
    await agent.report({ type: DeviceEventType.PARCEL_DEPOSITED, reservationId });
    await pause();
    expect((await issue(reservationId, Act.COLLECT)).accessToken).not.toBe("");
    await agent.report({ type: DeviceEventType.PARCEL_COLLECTED, reservationId });
    expect(await stateOf(reservationId)).toBe(ReservationState.COLLECTED);
  });

  it("a late cancellation, a redirect and a no-show cost nothing", async () => {
    const [toCancel, toRedirect, missed] = [await confirmed(), await confirmed(), await confirmed()];
    clock.advance(hourMs);
    await pause();
    const reason = CancellationReason.SITE_PROBLEM;
    const { reservation } = await courier.client.reservations.cancel({ requestId: randomUUID(), reservationId: toCancel, reason });
    const { redirected } = await courier.client.reservations.redirect({
      requestId: randomUUID(),
      reservationId: toRedirect,
      place: { case: "siteId", value: otherId },
      reason,
    });
    clock.advance(48 * hourMs);
    await expect.poll(() => stateOf(missed)).toBe(ReservationState.NO_SHOW);
    const after = (await courier.client.reservations.getReservation({ reservationId: missed })).reservation;
    expect([reservation?.feeDue, redirected?.feeDue, after?.feeDue]).toEqual([undefined, undefined, undefined]);
  });
});

describe("the terminal of a site that is paused", () => {
  it("opens no door by a token to deposit from before, gives out what is inside, and takes parcels in again after one sync", async () => {
    const terminal = await openTerminal();
    const [early, late] = [await confirmed(), await confirmed()];
    await terminal.visit(await credential(early, Act.DEPOSIT));
    const before = await credential(late, Act.DEPOSIT);
    await pause();
    await terminal.agent.syncNow();
    expect(await terminal.agent.present(before)).toEqual({ opened: false, refusal: "NO_DEPOSITS" });
    expect(await terminal.visit(await credential(early, Act.COLLECT))).toMatchObject({ opened: true });
    expect([await stateOf(early), await stateOf(late)]).toEqual([ReservationState.COLLECTED, ReservationState.CONFIRMED]);
    const { events } = await operator.client.custody.getCustodyChain({ reservationId: late });
    expect(events.map(({ proof }) => proof?.refusal)).toContain("SITE_OUT_OF_SERVICE");
    await put({ lifecycle: ACTIVE });
    await terminal.agent.syncNow();
    expect(await terminal.visit(before)).toMatchObject({ opened: true });
    expect(await stateOf(late)).toBe(ReservationState.DEPOSITED);
  });

  it("takes in what comes before it hears of a retirement, and the parcel is recorded and collected like any other", async () => {
    const terminal = await openTerminal();
    const reservationId = await confirmed();
    const before = await credential(reservationId, Act.DEPOSIT);
    await retire([siteId], DRAIN);
    await pause();
    expect(await terminal.visit(before)).toMatchObject({ opened: true });
    expect(await stateOf(reservationId)).toBe(ReservationState.DEPOSITED);
    expect(await terminal.visit(await credential(reservationId, Act.COLLECT))).toMatchObject({ opened: true });
    expect(await stateOf(reservationId)).toBe(ReservationState.COLLECTED);
  });
});

it("a site in which a late deposit has left more parcels and holds than places can still be paused and retired", async () => {
  const one = makeSite({ ...position, latitude: 1.32, ref: "one", classes: [["M", 400, 200, 500, 20_000, 1]] });
  siteId = await network.putSite(operator, one);
  const late = await confirmed();
  const agent = await network.reporterAt(operator, siteId);
  clock.advance(48 * hourMs);
  await expect.poll(() => stateOf(late)).toBe(ReservationState.NO_SHOW);
  await confirmed();
  const occurredAt = timestampFromMs(clock.now() - 47 * hourMs);
  await agent.report({ type: DeviceEventType.PARCEL_DEPOSITED, reservationId: late, occurredAt });
  expect(await stateOf(late)).toBe(ReservationState.DEPOSITED);
  site = one;
  await pause();
  expect(await lifecycleOf(siteId)).toBe(MAINTENANCE);
  const { sizeClasses } = makeSite({ ...position, classes: [["M", 400, 200, 500, 20_000, 2]] });
  await put({ sizeClasses });
  await retire([siteId], DRAIN);
});

describe("a retirement", () => {
  it("is refused with the numbers of live reservations, and changes no site of the request", async () => {
    await hold();
    await confirmed();
    for (const live of [undefined, REFUSE]) {
      await expect(retire([otherId, siteId], live)).rejects.toSatisfy((error) => reasonOf(error) === "SITE_IN_USE");
      await expect(put({ lifecycle: DECOMMISSIONED }, live)).rejects.toThrow("2 held or confirmed reservations, 0 parcels inside");
    }
    expect([await lifecycleOf(siteId), await lifecycleOf(otherId)]).toEqual([ACTIVE, ACTIVE]);
  });

  it("and a pause last through an upsert that states no phase, such as an import of all sites", async () => {
    expect(await lifecycleOf(siteId)).toBe(ACTIVE);
    for (const name of ["Renamed", "Renamed again"]) {
      await pause();
      await put({ name, lifecycle: UNSPECIFIED });
      expect((await courier.client.directory.getSite({ siteId })).site).toMatchObject({ name, lifecycle: MAINTENANCE });
    }
    const held = await put({ lifecycle: ACTIVE }).then(hold);
    await retire([siteId], DRAIN);
    await put({ name: "Draining", lifecycle: UNSPECIFIED });
    const { site: draining } = await courier.client.directory.getSite({ siteId });
    expect(draining).toMatchObject({ name: "Draining", lifecycle: DECOMMISSIONED, draining: true });
    await confirm(held);
  });

  it("needs no decision where nothing is live", async () => {
    await retire([siteId]);
    expect(await lifecycleOf(siteId)).toBe(DECOMMISSIONED);
  });

  it("by DRAIN takes no new reservations and keeps those that are there until they end", async () => {
    const held = await hold();
    await retire([siteId], DRAIN);
    await expect(hold()).rejects.toSatisfy((error) => reasonOf(error) === "SITE_NOT_ACCEPTING");
    await confirm(held);
    expect((await issue(held, Act.DEPOSIT)).accessToken).not.toBe("");
    expect((await courier.client.directory.getSite({ siteId })).site).toMatchObject({ lifecycle: DECOMMISSIONED, draining: true });
    await expect(retire([siteId])).rejects.toSatisfy((error) => reasonOf(error) === "SITE_IN_USE");
    await courier.client.reservations.cancel({ requestId: randomUUID(), reservationId: held, reason: CancellationReason.OTHER });
    await retire([siteId]);
    expect((await courier.client.directory.getSite({ siteId })).site?.draining).toBe(false);
  });
});

describe("a site with live reservations", () => {
  it("moves by at most 100 m unless its operator says what happens to them", async () => {
    const held = await hold();
    await put({ position: { ...makeSite({ ...position, latitude: 1.3008 }).position } as Site["position"] });
    const far = makeSite({ ...position, latitude: 1.35 }).position;
    await expect(put({ position: far })).rejects.toSatisfy((error) => reasonOf(error) === "SITE_IN_USE");
    const request = { requestId: randomUUID(), sites: [{ ...site, position: far }], validateOnly: true };
    await expect(operator.client.directory.upsertSites(request)).rejects.toSatisfy((error) => reasonOf(error) === "SITE_IN_USE");
    await put({ position: far }, DRAIN);
    await confirm(held);
  });

  it("moves by at most 100 m in all: moves add up until its operator decides, or nobody counts on it", async () => {
    await hold();
    const at = (latitude: number) => ({ position: makeSite({ ...position, latitude }).position }) as Partial<Site>;
    await put(at(1.3008));
    await expect(put(at(1.3016))).rejects.toSatisfy((error) => reasonOf(error) === "SITE_IN_USE");
    await put({ ...at(1.3), name: "Back" });
    await put(at(1.2992));
    await put(at(1.2984), DRAIN);
    await put(at(1.2976));
    await retire([siteId], DRAIN);
    const { reservations } = await courier.client.reservations.listReservations({});
    for (const { reservationId } of reservations) {
      await courier.client.reservations.cancel({ requestId: randomUUID(), reservationId, reason: CancellationReason.OTHER });
    }
    await put(at(1.2968));
    await put(at(1.296));
  });
});
