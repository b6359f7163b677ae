import { randomUUID } from "node:crypto";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { Act, CancellationReason, DeviceEventType, ParcelSchema, ProofKind, ReservationState, Role, reasonOf } from "@petak/protocol";
import { makeSite, useRedis } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { beforeEach, describe, expect, it } from "vitest";

const redis = useRedis();
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const origin = { latitude: 1.3, longitude: 103.8 };
const nearest = { case: "nearest" as const, value: { origin } };
let network: TestNetwork;
let operator: TestParticipant;
let courier: TestParticipant;

beforeEach(async () => {
  network = await startTestNetwork({ redis });
  operator = await network.join("Operator", [Role.OPERATOR]);
  courier = await network.join("Courier", [Role.COURIER]);
  return () => network.stop();
});

async function makeSites(count: number, places: number): Promise<string[]> {
  const sites = Array.from({ length: count }, (_, index) =>
    makeSite({ latitude: 1.3 + index * 0.001, longitude: 103.8, ref: `${index}`, classes: [["M", 400, 200, 500, 20_000, places]] }),
  );
  return await network.putSites(operator, ...sites);
}

async function confirmed(): Promise<string> {
  const { reservations } = courier.client;
  const { reservation } = await reservations.reserve({ requestId: randomUUID(), place: nearest, parcel });
  const reservationId = reservation?.reservationId ?? "";
  await reservations.confirm({ requestId: randomUUID(), reservationId });
  return reservationId;
}

async function counts(siteId: string) {
  const { availabilities } = await courier.client.directory.getAvailability({ siteIds: [siteId] });
  const { occupied, held, freeToPromise } = availabilities[0]?.sizeClasses[0] ?? {};
  return { occupied, held, freeToPromise };
}

const reason = async (call: Promise<unknown>) => reasonOf(await call.catch((error: unknown) => error));

describe("concurrent Reserve requests", () => {
  it("fill every place before any of them is refused", async () => {
    await makeSites(20, 3);
    const answers = await Promise.all(
      Array.from({ length: 70 }, () => reason(courier.client.reservations.reserve({ requestId: randomUUID(), place: nearest, parcel }))),
    );
    expect(answers.filter((answer) => answer === undefined).length).toBe(60);
    expect(answers.filter((answer) => answer === "NO_PLACE_FREE").length).toBe(10);
  });
});

describe("duplicates, the same request sent twice at once", () => {
  it("get one place, even if it is the last", async () => {
    await makeSites(25, 1);
    for (let round = 0; round < 25; round++) {
      const request = { requestId: randomUUID(), place: nearest, parcel };
      const responses = await Promise.all([courier.client.reservations.reserve(request), courier.client.reservations.reserve(request)]);
      expect(responses[0].reservation?.reservationId).toBe(responses[1].reservation?.reservationId);
    }
  });

  it("get the same response to a transition", async () => {
    await makeSites(1, 20);
    for (let round = 0; round < 15; round++) {
      const reservationId = await confirmed();
      const request = { requestId: randomUUID(), reservationId, reason: CancellationReason.OTHER };
      const responses = await Promise.all([courier.client.reservations.cancel(request), courier.client.reservations.cancel(request)]);
      expect(responses[0]).toEqual(responses[1]);
    }
  });

  it("get the same response to a change of sites", async () => {
    const { directory } = operator.client;
    for (let round = 0; round < 10; round++) {
      const request = { requestId: randomUUID(), sites: [makeSite({ ...origin, ref: `round-${round}` })] };
      const responses = await Promise.all([directory.upsertSites(request), directory.upsertSites(request)]);
      expect(responses[0]).toEqual(responses[1]);
      expect(await directory.upsertSites(request)).toEqual(responses[0]);
    }
  });

  it("leave one site for a reference that was created in two regions at once", async () => {
    const { directory } = operator.client;
    for (let round = 0; round < 8; round++) {
      const at = (longitude: number) =>
        directory.upsertSites({ requestId: randomUUID(), sites: [makeSite({ latitude: round, longitude, ref: `round-${round}` })] });
      await Promise.allSettled([at(103), at(118)]);
    }
    const { options } = await courier.client.directory.findNearest({ origin, parcel, limit: 50 });
    expect(options.length).toBeLessThanOrEqual(8);
    for (const { site } of options) {
      await operator.client.directory.retireSites({ requestId: randomUUID(), siteIds: [site?.siteId ?? ""] });
    }
    expect((await courier.client.directory.findNearest({ origin, parcel })).options).toEqual([]);
  });
});

describe("the token of a cancelled reservation", () => {
  it("opens no door of an agent that has synchronized", async () => {
    const [siteId = ""] = await makeSites(1, 1);
    const reservationId = await confirmed();
    const { accessToken } = await courier.client.reservations.issueCredential({
      requestId: randomUUID(),
      reservationId,
      act: Act.DEPOSIT,
    });
    await courier.client.reservations.cancel({ requestId: randomUUID(), reservationId, reason: CancellationReason.OTHER });
    const { agent } = await network.openTerminal(operator, siteId, { cabinet: [{ compartmentId: "M-1", sizeClassId: "M" }] });
    expect(await agent.present({ token: accessToken })).toMatchObject({ opened: false });
  });
});

describe("a reservation in doubt", () => {
  it("frees its place when the parcel is collected after all", async () => {
    const [siteId = ""] = await makeSites(1, 1);
    const reservationId = await confirmed();
    const agent = await network.reporterAt(operator, siteId);
    const report = (type: DeviceEventType) => agent.report({ type, reservationId, proofKind: ProofKind.ACCESS_TOKEN });
    await report(DeviceEventType.PARCEL_DEPOSITED);
    await report(DeviceEventType.DOUBT);
    const { reservation } = await courier.client.reservations.getReservation({ reservationId });
    expect(reservation?.state).toBe(ReservationState.IN_DOUBT);
    expect(await counts(siteId)).toEqual({ occupied: 1, held: 0, freeToPromise: 0 });
    await report(DeviceEventType.PARCEL_COLLECTED);
    expect(await counts(siteId)).toEqual({ occupied: 0, held: 0, freeToPromise: 1 });
  });
});

describe("an unknown field in a request", () => {
  it("is not stored", async () => {
    await makeSites(1, 1);
    const foreign = new BinaryWriter().tag(1000, WireType.LengthDelimited).bytes(new Uint8Array(50_000)).finish();
    const stuffed = fromBinary(ParcelSchema, Buffer.concat([toBinary(ParcelSchema, create(ParcelSchema, parcel)), foreign]));
    expect(stuffed.$unknown?.length).toBe(1);
    const { reservation } = await courier.client.reservations.reserve({
      requestId: randomUUID(),
      place: nearest,
      parcel: stuffed,
    });
    const keys = await redis.client.keys(`${redis.keyPrefix}*`);
    const lengths = await Promise.all(
      keys.filter((key) => key.includes(":res:") || key.includes(":answer:")).map((key) => redis.client.strlen(key)),
    );
    expect(reservation?.state).toBe(ReservationState.HELD);
    expect(lengths.length).toBeGreaterThan(0);
    expect(Math.max(...lengths)).toBeLessThan(1000);
  });
});
