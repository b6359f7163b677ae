import { randomUUID } from "node:crypto";
import { Act, CancellationReason, DeviceEventType, EventType, ReservationState, Role } from "@petak/protocol";
import { makeSite, useRedis } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { beforeEach, describe, expect, it } from "vitest";

const redis = useRedis();
let network: TestNetwork;
let operator: TestParticipant;
let courier: TestParticipant;

beforeEach(async () => {
  network = await startTestNetwork({ redis });
  operator = await network.join("Operator", [Role.OPERATOR]);
  courier = await network.join("Courier", [Role.COURIER]);
  return () => network.stop();
});

/** Writes the site with one size class. */
async function putSite(sizeClassId: string): Promise<string> {
  const site = makeSite({ latitude: 1.3, longitude: 103.8, classes: [[sizeClassId, 400, 200, 500, 20_000, 4]] });
  return await network.putSite(operator, site);
}

async function holdAt(siteId: string): Promise<string> {
  const { reservation } = await courier.client.reservations.reserve({
    requestId: randomUUID(),
    place: { case: "siteId", value: siteId },
    parcel: { widthMm: 1, heightMm: 1, depthMm: 1, massG: 1 },
  });
  return reservation?.reservationId ?? "";
}

async function report(siteId: string, reservationId: string, ...types: DeviceEventType[]): Promise<bigint> {
  const agent = await network.reporterAt(operator, siteId);
  return await agent.report(...types.map((type) => ({ type, reservationId })));
}

describe("after an operator has removed a size class in which nothing is held", () => {
  it("a deposit for a cancelled reservation is still recorded", async () => {
    const siteId = await putSite("M");
    const reservationId = await holdAt(siteId);
    await courier.client.reservations.cancel({ requestId: randomUUID(), reservationId, reason: CancellationReason.OTHER });
    await putSite("Medium");
    expect(await report(siteId, reservationId, DeviceEventType.DOOR_OPENED, DeviceEventType.PARCEL_DEPOSITED)).toBe(2n);
    const { reservation, events } = await courier.client.custody.getCustodyChain({ reservationId });
    expect(reservation?.state).toBe(ReservationState.IN_DOUBT);
    expect(events.map(({ type }) => type).slice(2)).toEqual([EventType.DOOR_OPENED, EventType.RESERVATION_IN_DOUBT]);
  });

  it("a repeated request for a credential gets the same one", async () => {
    const siteId = await putSite("M");
    const reservationId = await holdAt(siteId);
    await courier.client.reservations.confirm({ requestId: randomUUID(), reservationId });
    const request = { requestId: randomUUID(), reservationId, act: Act.COLLECT, withPin: true };
    const issued = await courier.client.reservations.issueCredential(request);
    await report(siteId, reservationId, DeviceEventType.PARCEL_DEPOSITED, DeviceEventType.PARCEL_COLLECTED);
    await putSite("Medium");
    expect(await courier.client.reservations.issueCredential(request)).toEqual(issued);
  });
});
