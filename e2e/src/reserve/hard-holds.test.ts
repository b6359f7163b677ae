import { randomUUID } from "node:crypto";
import { Act, CancellationReason, HoldKind, type Reservation, ReservationState, Role, reasonOf } from "@petak/protocol";
import { type MoreFacts, makeSite, useRedis } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { beforeEach, describe, expect, it } from "vitest";

const redis = useRedis();
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const origin = { latitude: 1.3, longitude: 103.8 };
const compartments = ["A1", "A2", "A3"].map((compartmentId) => ({ compartmentId, sizeClassId: "M" }));
let network: TestNetwork;
let operator: TestParticipant;
let courier: TestParticipant;

beforeEach(async () => {
  network = await startTestNetwork({ redis });
  operator = await network.join("Operator", [Role.OPERATOR]);
  courier = await network.join("Courier", [Role.COURIER]);
  return () => network.stop();
});

async function putSite(more: MoreFacts = {}): Promise<string> {
  const site = makeSite({ ...origin, classes: [["M", 400, 200, 500, 20_000, 3]] }, { compartments, ...more });
  return await network.putSite(operator, site);
}

async function reserve(holdKind: HoldKind, requestId = randomUUID()): Promise<Reservation> {
  const place = { case: "nearest", value: { origin } } as const;
  const { reservation } = await courier.client.reservations.reserve({ requestId, place, parcel, holdKind });
  if (reservation === undefined) throw new Error("the response has no reservation");
  return reservation;
}

const reserveAt = (siteId: string, holdKind: HoldKind) =>
  courier.client.reservations
    .reserve({ requestId: randomUUID(), place: { case: "siteId", value: siteId }, parcel, holdKind })
    .then(({ reservation }) => reservation?.heldCompartmentId)
    .catch((error: unknown) => reasonOf(error));

async function confirm(reservationId: string): Promise<void> {
  await courier.client.reservations.confirm({ requestId: randomUUID(), reservationId });
}

async function token(reservationId: string, act: Act): Promise<{ token: string }> {
  const { accessToken } = await courier.client.reservations.issueCredential({ requestId: randomUUID(), reservationId, act });
  return { token: accessToken };
}

const openTerminal = (siteId: string) => network.openTerminal(operator, siteId, { cabinet: compartments });

describe("a hard hold", () => {
  it("reserves one door from the hold to the collection, and no other parcel is put there", async () => {
    const siteId = await putSite();
    const requestId = randomUUID();
    const hard = await reserve(HoldKind.HARD, requestId);
    expect(hard).toMatchObject({ state: ReservationState.HELD, holdKind: HoldKind.HARD, heldCompartmentId: "A3", compartmentId: "" });
    const soft = await reserve(HoldKind.UNSPECIFIED);
    expect(soft).toMatchObject({ holdKind: HoldKind.SOFT, heldCompartmentId: "" });
    await confirm(soft.reservationId);
    const other = await reserve(HoldKind.SOFT);
    await confirm(other.reservationId);
    expect(await reserveAt(siteId, HoldKind.HARD)).toBe("NO_PLACE_FREE");

    const terminal = await openTerminal(siteId);
    const { agent, cabinet } = terminal;
    try {
      const put = async (reservationId: string) => {
        const opened = await agent.present(await token(reservationId, Act.DEPOSIT));
        if (!opened.opened) return opened.refusal;
        cabinet.putIn(opened.compartmentId);
        cabinet.closeDoor(opened.compartmentId);
        await agent.flushed();
        return opened.compartmentId;
      };
      // The agent hears of the hold before it is confirmed.
      expect([await put(soft.reservationId), await put(other.reservationId)]).toEqual(["A1", "A2"]);
      await confirm(hard.reservationId);
      await agent.syncNow();
      expect(await put(hard.reservationId)).toBe("A3");
      const { reservation } = await courier.client.reservations.getReservation({ reservationId: hard.reservationId });
      expect(reservation).toMatchObject({ state: ReservationState.DEPOSITED, heldCompartmentId: "A3", compartmentId: "A3" });
      expect(await reserve(HoldKind.HARD, requestId)).toEqual(hard);

      await agent.syncNow();
      expect(await agent.present(await token(hard.reservationId, Act.COLLECT))).toMatchObject({ opened: true, compartmentId: "A3" });
      cabinet.takeOut("A3");
      cabinet.closeDoor("A3");
      await agent.flushed();
      expect(await reserveAt(siteId, HoldKind.HARD)).toBe("A3");
    } finally {
      await terminal.stop();
    }
  });

  it("releases its door when it is cancelled or has expired, and not before", async () => {
    const siteId = await putSite();
    const doors = [await reserve(HoldKind.HARD), await reserve(HoldKind.HARD), await reserve(HoldKind.HARD)];
    expect(doors.map(({ heldCompartmentId }) => heldCompartmentId)).toEqual(["A3", "A2", "A1"]);
    expect(await reserveAt(siteId, HoldKind.HARD)).toBe("NO_PLACE_FREE");
    const { reservationId } = doors[1] as Reservation;
    await courier.client.reservations.cancel({ requestId: randomUUID(), reservationId, reason: CancellationReason.OTHER });
    const request = { requestId: randomUUID(), place: { case: "siteId", value: siteId } as const, parcel, holdKind: HoldKind.HARD };
    const { reservation } = await courier.client.reservations.reserve({ ...request, holdDuration: { seconds: 1n } });
    expect(reservation?.heldCompartmentId).toBe("A2");
    await expect.poll(() => reserveAt(siteId, HoldKind.HARD)).toBe("A2");
  });

  it("is refused if the site cannot reserve a door: it lists none, or its operator reports the free places", async () => {
    const siteId = await putSite({ compartments: [] });
    expect(await reserveAt(siteId, HoldKind.HARD)).toBe("SITE_REQUIREMENT_UNMET");
    expect(await reserve(HoldKind.HARD).catch(reasonOf)).toBe("NO_PLACE_FREE");
    expect(await reserveAt(siteId, HoldKind.SOFT)).toBe("");
    expect(await putSite()).toBe(siteId);
    expect(await reserveAt(siteId, HoldKind.HARD)).toBe("A3");
    const report = { siteId, observedAt: { seconds: BigInt(Math.floor(Date.now() / 1000)), nanos: 0 }, ttl: { seconds: 300n } };
    const sizeClasses = [{ sizeClassId: "M", free: 3, occupied: 0, outOfService: 0 }];
    await operator.client.directory.reportCapacity({ requestId: randomUUID(), sites: [{ ...report, sizeClasses }] });
    expect([await reserveAt(siteId, HoldKind.HARD), await reserveAt(siteId, HoldKind.SOFT)]).toEqual(["SITE_REQUIREMENT_UNMET", ""]);
  });
});
