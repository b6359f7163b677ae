import { randomUUID } from "node:crypto";
import { Act, Mode, ReservationState, Role, reasonOf } from "@petak/protocol";
import { makeSite, useRedis } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { beforeEach, describe, expect, it } from "vitest";

const redis = useRedis();
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const origin = { latitude: 1.3, longitude: 103.8 };
const modes = [
  { name: "live", mode: Mode.LIVE, other: Mode.TEST },
  { name: "test", mode: Mode.TEST, other: Mode.LIVE },
];
let network: TestNetwork;

beforeEach(async () => {
  network = await startTestNetwork({ redis, queueRegionShareMax: 1 });
  return () => network.stop();
});

const reason = async (call: () => Promise<unknown>) => reasonOf(await call().catch((error: unknown) => error));

describe.each(modes)("with a $name key", ({ mode, other }) => {
  const isTest = mode === Mode.TEST;
  let operator: TestParticipant;
  let courier: TestParticipant;
  let foreign: { operator: TestParticipant; siteId: string; reservationId: string };
  let siteId: string;

  const makeOne = (by: TestParticipant, forTest: boolean) =>
    network.putSite(by, makeSite({ ...origin, ref: forTest ? "test" : "live", isTest: forTest }));

  beforeEach(async () => {
    operator = await network.join("Operator", [Role.OPERATOR], mode);
    courier = await network.join("Courier", [Role.COURIER], mode);
    siteId = await makeOne(operator, isTest);
    const foreignOperator = await network.withMode(operator, other);
    const foreignCourier = await network.withMode(courier, other);
    const foreignSiteId = await makeOne(foreignOperator, !isTest);
    const { reservation } = await foreignCourier.client.reservations.reserve({
      requestId: randomUUID(),
      place: { case: "siteId", value: foreignSiteId },
      parcel,
    });
    foreign = { operator: foreignOperator, siteId: foreignSiteId, reservationId: reservation?.reservationId ?? "" };
  });

  it("a courier sees the sites of its own network and no others", async () => {
    const { options } = await courier.client.directory.findNearest({ origin, parcel, limit: 50 });
    expect(options.map(({ site }) => site?.siteId)).toEqual([siteId]);
    expect(await reason(() => courier.client.directory.getSite({ siteId: foreign.siteId }))).toBe("SITE_NOT_FOUND");
    expect(await reason(() => courier.client.directory.getAvailability({ siteIds: [siteId, foreign.siteId] }))).toBe("SITE_NOT_FOUND");
  });

  it("a request id that was used in the other network is refused", async () => {
    const request = { requestId: randomUUID(), place: { case: "nearest", value: { origin } }, parcel } as const;
    const elsewhere = await network.withMode(courier, other);
    const { reservation } = await elsewhere.client.reservations.reserve(request);
    expect(reservation?.isTest).toBe(!isTest);
    expect(await reason(() => courier.client.reservations.reserve(request))).toBe("REQUEST_ID_REUSED");
    const terms = { requestId: randomUUID(), terms: { freeStorage: { seconds: 7200n } } };
    await foreign.operator.client.directory.setDefaultTerms(terms);
    expect(await reason(() => operator.client.directory.setDefaultTerms(terms))).toBe("REQUEST_ID_REUSED");
  });

  it("a participant's share of a queue does not count its reservations in the other network", async () => {
    const classes: [string, number, number, number, number, number][] = [["M", 400, 200, 500, 20_000, 1]];
    const waitAt = async (owner: TestParticipant, by: TestParticipant, forTest: boolean) => {
      const site = makeSite({ ...origin, ref: `full-${forTest}`, isTest: forTest, classes });
      const asked = {
        place: { case: "siteId", value: await network.putSite(owner, site) },
        parcel,
        overflowPolicy: { wait: { seconds: 60n } },
      } as const;
      await by.client.reservations.reserve({ requestId: randomUUID(), ...asked });
      return async () => (await by.client.reservations.reserve({ requestId: randomUUID(), ...asked })).reservation?.state;
    };
    const waitElsewhere = await waitAt(foreign.operator, await network.withMode(courier, other), !isTest);
    const wait = await waitAt(operator, courier, isTest);
    expect(await waitElsewhere()).toBe(ReservationState.QUEUED);
    expect(await wait()).toBe(ReservationState.QUEUED);
    expect(await reason(wait)).toBe("QUEUE_SHARE_EXHAUSTED");
  });

  it("an operator sets the terms of its own network, and not those of the other", async () => {
    const termsAt = async (by: TestParticipant, at: string) => (await by.client.directory.getSite({ siteId: at })).terms?.freeStorage;
    const before = await termsAt(foreign.operator, foreign.siteId);
    const freeStorage = { seconds: 3600n };
    await operator.client.directory.setDefaultTerms({ requestId: randomUUID(), terms: { freeStorage } });
    expect(await termsAt(operator, siteId)).toMatchObject(freeStorage);
    expect(await termsAt(foreign.operator, foreign.siteId)).toEqual(before);
  });

  it("nothing of the other network can be reserved, changed or read, not even by its own participant", async () => {
    const { reservations, custody, directory } = courier.client;
    const { reservationId } = foreign;
    const place = { case: "siteId" as const, value: foreign.siteId };
    expect(await reason(() => reservations.reserve({ requestId: randomUUID(), place, parcel }))).toBe("SITE_NOT_FOUND");
    expect(await reason(() => reservations.getReservation({ reservationId }))).toBe("RESERVATION_NOT_FOUND");
    expect(await reason(() => reservations.confirm({ requestId: randomUUID(), reservationId }))).toBe("RESERVATION_NOT_FOUND");
    expect(await reason(() => reservations.issueCredential({ requestId: randomUUID(), reservationId, act: Act.DEPOSIT }))).toBe(
      "RESERVATION_NOT_FOUND",
    );
    expect(await reason(() => custody.getCustodyChain({ reservationId }))).toBe("RESERVATION_NOT_FOUND");
    expect((await custody.listEvents({})).events).toEqual([]);
    expect((await operator.client.custody.listEvents({})).events).toEqual([]);
    expect(await reason(() => directory.retireSites({ requestId: randomUUID(), siteIds: [foreign.siteId] }))).toBe("ROLE_REQUIRED");
    expect(await reason(() => operator.client.directory.retireSites({ requestId: randomUUID(), siteIds: [foreign.siteId] }))).toBe(
      "SITE_NOT_FOUND",
    );
  });

  it("no site can be made in the other network or moved there", async () => {
    expect(await reason(() => makeOne(operator, !isTest))).toBe("MODE_MISMATCH");
    const turned = makeSite({ ...origin, ref: isTest ? "live" : "test", isTest });
    expect(await reason(() => operator.client.directory.upsertSites({ requestId: randomUUID(), sites: [turned] }))).toBe("MODE_MISMATCH");
  });
});
