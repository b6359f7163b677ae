import { randomUUID } from "node:crypto";
import { Act, CancellationReason, DeviceEventType, EventType, ProofKind, ReservationState, Role, reasonOf } from "@petak/protocol";
import { makeSite, useRedis } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { beforeEach, describe, expect, it } from "vitest";

const redis = useRedis();
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const origin = { latitude: 1.3, longitude: 103.8 };
let network: TestNetwork;
let operator: TestParticipant;
let courier: TestParticipant;

beforeEach(async () => {
  network = await startTestNetwork({ redis });
  operator = await network.join("Operator", [Role.OPERATOR]);
  courier = await network.join("Courier", [Role.COURIER]);
  return () => network.stop();
});

async function makeOneSite(places = 1): Promise<string> {
  return await network.putSite(operator, makeSite({ ...origin, classes: [["M", 400, 200, 500, 20_000, places]] }));
}

async function freePlaces(siteId: string): Promise<number | undefined> {
  const { availabilities } = await courier.client.directory.getAvailability({ siteIds: [siteId] });
  return availabilities[0]?.sizeClasses[0]?.freeToPromise;
}

describe("a reservation", () => {
  it("goes from hold to collection, and every step is an event", async () => {
    const siteId = await makeOneSite();
    const found = await courier.client.directory.findNearest({ origin, parcel });
    expect(found.options.map(({ site }) => site?.siteId)).toEqual([siteId]);

    const { reservation: held } = await courier.client.reservations.reserve({
      requestId: randomUUID(),
      place: { case: "nearest", value: { origin } },
      parcel,
      partnerReference: "order-7",
    });
    expect(held).toMatchObject({ siteId, state: ReservationState.HELD, sizeClassId: "M", partnerReference: "order-7" });
    const reservationId = held?.reservationId ?? "";
    expect(await freePlaces(siteId)).toBe(0);
    expect((await courier.client.directory.findNearest({ origin, parcel })).options).toEqual([]);

    await courier.client.reservations.confirm({ requestId: randomUUID(), reservationId });
    const deposit = await courier.client.reservations.issueCredential({ requestId: randomUUID(), reservationId, act: Act.DEPOSIT });
    expect(deposit.accessToken.length).toBeLessThanOrEqual(320);
    const collect = await courier.client.reservations.issueCredential({
      requestId: randomUUID(),
      reservationId,
      act: Act.COLLECT,
      withPin: true,
    });
    expect(collect.pin).toMatch(/^\d{8}$/);

    const agent = network.clientFor(await network.agentSigner(operator, siteId));
    await agent.agents.boot({ siteId });
    const synced = await agent.agents.sync({ siteId });
    expect(synced.allowances.map(({ act }) => act)).toEqual([Act.DEPOSIT, Act.COLLECT]);
    const report = (sequence: bigint, type: DeviceEventType, { credentialHash } = deposit) => ({
      sequence,
      deviceEventId: randomUUID(),
      type,
      occurredAt: { seconds: BigInt(Math.floor(Date.now() / 1000)), nanos: 0 },
      reservationId,
      compartmentId: "A1",
      proofKind: ProofKind.ACCESS_TOKEN,
      credentialHash,
    });
    await agent.agents.reportEvents({
      siteId,
      events: [report(1n, DeviceEventType.DOOR_OPENED), report(2n, DeviceEventType.PARCEL_DEPOSITED)],
    });
    const deposited = await courier.client.reservations.getReservation({ reservationId });
    expect(deposited.reservation).toMatchObject({ state: ReservationState.DEPOSITED, compartmentId: "A1" });
    await agent.agents.reportEvents({ siteId, events: [report(3n, DeviceEventType.PARCEL_COLLECTED, collect)] });

    const chain = await courier.client.custody.getCustodyChain({ reservationId });
    expect(chain.reservation?.state).toBe(ReservationState.COLLECTED);
    expect(chain.events.map(({ type }) => type)).toEqual([
      EventType.RESERVATION_HELD,
      EventType.RESERVATION_CONFIRMED,
      EventType.CREDENTIAL_ISSUED,
      EventType.CREDENTIAL_ISSUED,
      EventType.DOOR_OPENED,
      EventType.PARCEL_DEPOSITED,
      EventType.PARCEL_COLLECTED,
    ]);
    expect(chain.events.every((event) => event.siteId === siteId && event.operatorId === operator.participantId)).toBe(true);
    expect(await freePlaces(siteId)).toBe(1);

    const listed = await operator.client.custody.listEvents({ pageSize: 3 });
    expect(listed.events.length).toBe(3);
    expect(listed.hasMore).toBe(true);
    const rest = await operator.client.custody.listEvents({ cursor: listed.nextCursor });
    // The first event of all is that of the agent's key.
    expect(rest.events.length).toBe(5);
  });

  it("acknowledges the last recorded report to the device, whichever reports it sends again", async () => {
    const siteId = await makeOneSite();
    const { reservation } = await courier.client.reservations.reserve({
      requestId: randomUUID(),
      place: { case: "siteId", value: siteId },
      parcel,
    });
    const agent = network.clientFor(await network.agentSigner(operator, siteId));
    const report = (sequence: bigint, reservationId: string) => ({
      sequence,
      deviceEventId: `00000000-0000-4000-8000-00000000000${sequence}`,
      type: DeviceEventType.DOOR_OPENED,
      occurredAt: { seconds: 1_790_000_000n, nanos: 0 },
      reservationId,
      proofKind: ProofKind.ACCESS_TOKEN,
    });
    const [first, second, third] = [report(1n, reservation?.reservationId ?? ""), report(2n, ""), report(3n, "")] as const;
    const reportAll = async (...events: (typeof first)[]) => (await agent.agents.reportEvents({ siteId, events })).acknowledgedSequence;
    expect(await reportAll(first)).toBe(1n);
    expect(await reportAll(first, second, third)).toBe(3n);
    expect(await reportAll(first)).toBe(3n);
    expect(await reportAll(second)).toBe(3n);
  });

  it("is visible to its parties and to nobody else", async () => {
    await makeOneSite();
    const stranger = await network.join("Stranger", [Role.COURIER]);
    const { reservation } = await courier.client.reservations.reserve({
      requestId: randomUUID(),
      place: { case: "nearest", value: { origin } },
      parcel,
    });
    const reservationId = reservation?.reservationId ?? "";
    const { reservations, custody } = stranger.client;
    for (const call of [
      () => reservations.getReservation({ reservationId }),
      () => reservations.confirm({ requestId: randomUUID(), reservationId }),
      () => custody.getCustodyChain({ reservationId }),
    ]) {
      expect(reasonOf(await call().catch((error: unknown) => error))).toBe("RESERVATION_NOT_FOUND");
    }
    expect((await stranger.client.custody.listEvents({})).events).toEqual([]);
  });

  it("is made once, however often the same request is sent", async () => {
    await makeOneSite(10);
    const request = { requestId: randomUUID(), place: { case: "nearest" as const, value: { origin } }, parcel };
    const responses = await Promise.all(Array.from({ length: 8 }, () => courier.client.reservations.reserve(request)));
    expect(new Set(responses.map(({ reservation }) => reservation?.reservationId)).size).toBe(1);
    const again = await courier.client.reservations
      .reserve({ ...request, parcel: { ...parcel, massG: 2 } })
      .catch((error: unknown) => error);
    expect(reasonOf(again)).toBe("REQUEST_ID_REUSED");
  });

  it("never gets the response to another request, even if the fingerprint of its request id was lost or expired before the response", async () => {
    const siteId = await makeOneSite();
    const place = { case: "siteId", value: siteId } as const;
    const { reservations } = courier.client;
    const { reservation } = await reservations.reserve({ requestId: randomUUID(), place, parcel });
    const reservationId = reservation?.reservationId ?? "";
    const bundle = async (requestId: string, ids: string[]) => await reservations.putBundle({ requestId, reservationIds: ids });
    const ids = { confirm: randomUUID(), bundle: randomUUID() };
    const confirmed = await reservations.confirm({ requestId: ids.confirm, reservationId });
    const { bundle: made } = await bundle(ids.bundle, [reservationId]);
    await redis.client.del(...(await redis.client.keys(`${redis.keyPrefix}petak:req:*`)));
    const cancelling = reservations.cancel({ requestId: ids.confirm, reservationId, reason: CancellationReason.OTHER });
    expect(reasonOf(await cancelling.catch((error: unknown) => error))).toBe("REQUEST_ID_REUSED");
    const putting = reservations.issueBundleCredential({ requestId: ids.bundle, bundleId: made?.bundleId ?? "" });
    expect(reasonOf(await putting.catch((error: unknown) => error))).toBe("REQUEST_ID_REUSED");
    expect((await reservations.getReservation({ reservationId })).reservation?.state).toBe(ReservationState.CONFIRMED);
    expect(confirmed.reservation?.state).toBe(ReservationState.CONFIRMED);
  });

  it("redirected is not the target of an earlier redirect whose request had the same id", async () => {
    const sites = ["one", "two", "three"].map((ref) => makeSite({ ...origin, ref }));
    const [from = "", ...others] = await network.putSites(operator, ...sites);
    const requestId = randomUUID();
    for (const siteId of others) {
      const place = { case: "siteId", value: from } as const;
      const { reservation } = await courier.client.reservations.reserve({ requestId: randomUUID(), place, parcel });
      const { reservationId = "" } = reservation ?? {};
      const to = { case: "siteId", value: siteId } as const;
      const reason = CancellationReason.REROUTED;
      const redirected = await courier.client.reservations.redirect({ requestId, reservationId, reason, place: to });
      expect([redirected.reservation?.siteId, redirected.reservation?.redirectedFrom]).toEqual([siteId, reservationId]);
      await redis.client.del(...(await redis.client.keys(`${redis.keyPrefix}petak:req:*`)));
    }
  });

  it("ends by itself when its hold is not confirmed in time, and its place is free again", async () => {
    const siteId = await makeOneSite();
    await courier.client.reservations.reserve({
      requestId: randomUUID(),
      place: { case: "siteId", value: siteId },
      parcel,
      holdDuration: { seconds: 1n, nanos: 0 },
    });
    const types = async () => (await courier.client.custody.listEvents({})).events.map(({ type }) => type);
    await expect.poll(types).toEqual([EventType.RESERVATION_HELD, EventType.RESERVATION_EXPIRED]);
    expect(await freePlaces(siteId)).toBe(1);
  });
});
