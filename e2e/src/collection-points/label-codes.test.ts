import { randomUUID } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { awaitsParticipant } from "@petak/lifecycle";
import {
  Act,
  type Allowance,
  DeviceEventType,
  ParcelRequirement,
  type ParcelSchema,
  Purpose,
  ReservationState,
  Role,
  SiteKind,
  SiteService,
} from "@petak/protocol";
import { createFrozenClock, type FrozenClock, makeSite, useRedis } from "@petak/testkit";
import { type SiteReporter, startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { beforeEach, describe, expect, it } from "vitest";

type ParcelFacts = Omit<MessageInitShape<typeof ParcelSchema>, "$typeName">;

const redis = useRedis();
const measures = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const dayMs = 86_400_000;
let clock: FrozenClock;
let network: TestNetwork;
let shop: TestParticipant;
let courier: TestParticipant;
let siteId: string;
let reporter: SiteReporter;
let agent: TestParticipant["client"]["agents"];

beforeEach(async () => {
  clock = createFrozenClock(Math.floor(Date.now() / 1000) * 1000);
  network = await startTestNetwork({ redis, now: clock.now, collectWithinMs: 3 * dayMs, sweepIntervalMs: 20 });
  shop = await network.join("Shop", [Role.OPERATOR]);
  courier = await network.join("Courier One", [Role.COURIER]);
  siteId = await network.putSite(shop, storeAt(1.3, "shop-1"));
  reporter = await network.reporterAt(shop, siteId);
  agent = network.clientFor(await network.agentSigner(shop, siteId)).agents;
  return () => network.stop();
});

const storeAt = (latitude: number, ref: string) =>
  makeSite({ latitude, longitude: 103.8, ref, kind: SiteKind.COLLECTION_POINT }, { services: [SiteService.AGE_CHECK] });

async function reserve(facts: Partial<ParcelFacts> = {}, by = courier, purpose: Purpose = Purpose.DELIVERY, requestId = randomUUID()) {
  const place = { case: "siteId", value: siteId } as const;
  const { reservation } = await by.client.reservations.reserve({ requestId, place, parcel: { ...measures, ...facts }, purpose });
  return reservation ?? expect.fail("no reservation");
}

const confirm = async (reservationId: string, labelCodes: string[] = [], by = courier) =>
  (await by.client.reservations.confirm({ requestId: randomUUID(), reservationId, labelCodes })).reservation;

const allowances = async () => (await agent.sync({ siteId })).allowances;

const withCode = async (code: string) => (await allowances()).filter(({ labelCodes }) => labelCodes.includes(code));

const deposit = (reservationId: string) => reporter.report({ type: DeviceEventType.PARCEL_DEPOSITED, reservationId, compartmentId: "A1" });

describe("the codes on a parcel's label", () => {
  it("reach the site with the reservation, before the deposit and after", async () => {
    const { reservationId, parcel } = await reserve({ labelCodes: ["JD014600003SG", "00340123450000000018"] });
    expect(parcel?.labelCodes).toEqual(["JD014600003SG", "00340123450000000018"]);
    await confirm(reservationId);
    const about = { reservationId, purpose: Purpose.DELIVERY, participantId: courier.participantId, participantName: "Courier One" };
    expect(await withCode("00340123450000000018")).toMatchObject([{ act: Act.DEPOSIT, ...about }]);
    await deposit(reservationId);
    expect(await withCode("JD014600003SG")).toMatchObject([{ act: Act.COLLECT, ...about }]);
  });

  it("can be stated by Confirm, also of a batch, and replace those of Reserve", async () => {
    const [first, second] = [await reserve({ labelCodes: ["OLD"] }), await reserve()];
    expect(await confirm(first.reservationId, ["NEW"])).toMatchObject({ labelCodes: ["NEW"], parcel: { labelCodes: ["OLD"] } });
    const value = { requestId: randomUUID(), reservationId: second.reservationId, labelCodes: ["BATCHED"] };
    await courier.client.reservations.batch({ calls: [{ call: { case: "confirm", value } }] });
    expect((await allowances()).map(({ labelCodes }) => labelCodes).sort()).toEqual([["BATCHED"], ["NEW"]]);
  });

  it("do not change the response to a repeated Reserve", async () => {
    const requestId = randomUUID();
    const made = await reserve({ labelCodes: ["OLD"] }, courier, Purpose.DELIVERY, requestId);
    await confirm(made.reservationId, ["NEW"]);
    expect(await reserve({ labelCodes: ["OLD"] }, courier, Purpose.DELIVERY, requestId)).toEqual(made);
  });

  it("go with the parcel when it is redirected", async () => {
    const { reservationId } = await reserve();
    await confirm(reservationId, ["NEW"]);
    const place = { case: "siteId", value: await network.putSite(shop, storeAt(1.301, "shop-2")) } as const;
    const { reservation } = await courier.client.reservations.redirect({ requestId: randomUUID(), reservationId, place, reason: 3 });
    expect(reservation).toMatchObject({ state: ReservationState.CONFIRMED, parcel: { labelCodes: ["NEW"] }, labelCodes: [] });
  });

  it("need not be unique: the site gets all reservations that have one", async () => {
    const other = await network.join("Courier Two", [Role.COURIER]);
    const [mine, theirs] = [await reserve({ labelCodes: ["1001"] }), await reserve({ labelCodes: ["1001"] }, other)];
    await confirm(mine.reservationId);
    await confirm(theirs.reservationId, [], other);
    const found = await withCode("1001");
    expect(found.map(({ participantName }) => participantName).sort()).toEqual(["Courier One", "Courier Two"]);
  });

  it("are refused with anything but visible ASCII, without characters or with more than 64, twice, or more than three", async () => {
    const refused = [["JD 01"], ["]C1\u001d01"], [""], ["x".repeat(65)], ["A", "A"], ["A", "B", "C", "D"]];
    for (const labelCodes of refused) await expect(reserve({ labelCodes }), labelCodes.join()).rejects.toThrow(/label_codes/);
  });
});

describe("what a site knows of the parcels that its couriers fetch", () => {
  const forCouriers = async () =>
    (await allowances())
      .filter(awaitsParticipant)
      .map(({ reservationId, overdueSince }: Allowance) => [reservationId, overdueSince !== undefined]);

  it("names returns and first-mile parcels once they are there, and deliveries once they are overdue, until they are extended", async () => {
    const purposes = [Purpose.DELIVERY, Purpose.RETURN, Purpose.FIRST_MILE];
    const [delivery = "", ...fetched] = await Promise.all(
      purposes.map(async (purpose) => {
        const { reservationId } = await reserve({ requirements: [ParcelRequirement.AGE_CHECK] }, courier, purpose);
        await confirm(reservationId);
        return reservationId;
      }),
    );
    expect(await forCouriers()).toEqual([]);
    for (const reservationId of [delivery, ...fetched]) await deposit(reservationId);
    expect(new Set(await forCouriers())).toEqual(new Set(fetched.map((reservationId) => [reservationId, false])));
    expect((await allowances()).every(({ requirements }) => requirements[0] === ParcelRequirement.AGE_CHECK)).toBe(true);

    const before = (await agent.sync({ siteId })).version;
    clock.advance(3 * dayMs);
    await expect.poll(forCouriers).toContainEqual([delivery, true]);
    expect((await agent.sync({ siteId, knownVersion: before })).unchanged).toBe(false);

    const until = { seconds: BigInt(Math.floor(clock.now() / 1000)) + 86_400n, nanos: 0 };
    await courier.client.reservations.extend({ requestId: randomUUID(), reservationId: delivery, until });
    expect((await forCouriers()).map(([reservationId]) => reservationId)).not.toContain(delivery);
  });
});
