import { randomUUID } from "node:crypto";
import {
  EventType,
  type Money,
  ParcelRequirement,
  ProofKind,
  ReservationState,
  Role,
  reasonOf,
  SiteKind,
  SiteService,
} from "@petak/protocol";
import { Direction, EntryRefusal } from "@petak/protocol/counter";
import { createManualTimers, type ManualTimers, makeSite, useRedis } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { beforeEach, describe, expect, it } from "vitest";
import { expectTrueChain, publishedIssuerKeys } from "../testing/chains.ts";
import { type CourierSide, createCourierSide } from "./courier-side.ts";
import { type OpenStore, openStore } from "./open-store.ts";

const redis = useRedis();
const places = ["A1", "A2", "A3"].map((compartmentId) => ({ compartmentId, sizeClassId: "M" }));
const hourMs = 3_600_000;
const cashDue = { currencyCode: "SGD", units: 12n, nanos: 500_000_000 } as Money;
const checks = [ParcelRequirement.AGE_CHECK, ParcelRequirement.CASH_ON_DELIVERY];

let timers: ManualTimers;
let network: TestNetwork;
let operator: TestParticipant;
let courier: TestParticipant;
let siteId: string;
let otherSiteId: string;
let store: OpenStore;
let couriers: CourierSide;

beforeEach(async () => {
  timers = createManualTimers(Math.floor(Date.now() / 1000) * 1000);
  network = await startTestNetwork({ redis, now: timers.now, collectWithinMs: 2 * hourMs, sweepIntervalMs: 20 });
  operator = await network.join("Chain of shops", [Role.OPERATOR]);
  courier = await network.join("Courier", [Role.COURIER]);
  [siteId = "", otherSiteId = ""] = await network.putSites(operator, shop("here", 1.3), shop("there", 1.31));
  store = await openStore({ network, operator, siteId, places, timers });
  couriers = await createCourierSide({ network, courier, siteId, now: timers.now });
  return () => network.stop();
});

function shop(ref: string, latitude: number) {
  const services = [SiteService.AGE_CHECK, SiteService.CASH_ON_DELIVERY];
  const classes = [["M", 400, 200, 500, 20_000, 3]] as [string, number, number, number, number, number][];
  return makeSite({ latitude, longitude: 103.8, ref, kind: SiteKind.COLLECTION_POINT, classes }, { compartments: places, services });
}

/** A delivery from the first scan to the signed list. */
async function deliver(direction: Direction, labels: string[]): Promise<void> {
  const deliveryId = randomUUID();
  await store.does({ case: "beginDelivery", value: { deliveryId, direction } });
  for (const label of labels)
    expect(await store.does({ case: "scanParcel", value: { deliveryId, label } })).toMatchObject({ refusal: EntryRefusal.UNSPECIFIED });
  const { delivery } = await store.does({ case: "agreeCount", value: { deliveryId, count: labels.length } });
  const { answer } = await couriers.driverSigns(delivery?.storeCode ?? "", direction === Direction.IN ? "in" : "out");
  const closed = await store.does({ case: "closeDelivery", value: { deliveryId, courierCode: answer } });
  expect(closed.delivery).toMatchObject({ isSigned: true, notScanned: 0 });
  await store.agent.flushed();
}

/** The events of a true chain. */
async function trueChain(reservationId: string) {
  return (await expectTrueChain(courier, reservationId, await publishedIssuerKeys(network.baseUrl))).events;
}

async function shiftsIn({ client }: TestParticipant) {
  const { events } = await client.custody.listEvents({ pageSize: 1000 });
  return events.filter(({ type }) => type === EventType.SHIFT_COUNTED);
}

describe("a store's day", () => {
  it("is in the chains, from what a courier brought by one list to what it took back, and its count is told to the operator", async () => {
    await store.does({ case: "beginShift", value: {} });
    const [plain, checked] = [await couriers.announce("BX-1"), await couriers.announce("BX-2", { requirements: checks, cashDue })];
    await store.agent.syncNow();
    // The store has not heard of it yet, and asks.
    const late = await couriers.announce("BX-3");
    await deliver(Direction.IN, ["BX-1", "bx-2", "BX-3"]);
    for (const reservationId of [plain, checked, late]) {
      const proof = { kind: ProofKind.HANDOVER_LIST, clerkId: store.clerkId };
      expect((await trueChain(reservationId)).at(-1)).toMatchObject({ type: EventType.PARCEL_DEPOSITED, proof });
    }

    const first = await store.does({ case: "showCode", value: { text: await couriers.codeOf(plain) } });
    const { handOverId = "" } = first.handOver ?? {};
    expect(await store.does({ case: "moveParcel", value: { handOverId, label: "BX-2" } })).toMatchObject({
      refusal: EntryRefusal.WRONG_PARCEL,
    });
    await store.does({ case: "moveParcel", value: { handOverId, label: "BX-1" } });
    const second = await store.does({ case: "showCode", value: { text: await couriers.codeOf(checked) } });
    expect(second.handOver).toMatchObject({ requirements: checks, cashDue, labelEnding: "BX-2" });
    const paid = { handOverId: second.handOver?.handOverId ?? "", label: "BX-2", checksDone: checks, cashCollected: cashDue };
    await store.does({ case: "moveParcel", value: paid });
    await store.agent.flushed();
    const proof = { kind: ProofKind.ACCESS_TOKEN, clerkId: store.clerkId };
    expect((await trueChain(plain)).at(-1)).toMatchObject({ type: EventType.PARCEL_COLLECTED, proof });
    expect((await trueChain(checked)).at(-1)).toMatchObject({
      ...{ type: EventType.PARCEL_COLLECTED, proof },
      ...{ checksDone: checks, cashCollected: cashDue, missingChecks: [] },
    });

    await store.does({ case: "endShift", value: { labels: ["BX-1"], cash: [{ ...cashDue, nanos: 0 }] } });
    await store.agent.flushed();
    const cash = [{ currencyCode: "SGD", expectedUnits: 12n, expectedNanos: 500_000_000, countedUnits: 12n, countedNanos: 0 }];
    const countedShift = { expected: 1, counted: 1, missing: 1, surplus: 1, cash };
    expect(await shiftsIn(operator)).toMatchObject([{ siteId, reservationId: "", proof: { clerkId: store.clerkId }, countedShift }]);
    expect(await shiftsIn(courier)).toEqual([]);

    timers.advance(2 * hourMs);
    await expect.poll(async () => (await trueChain(late)).at(-1)?.type).toBe(EventType.PARCEL_OVERDUE);
    await store.agent.syncNow();
    await deliver(Direction.OUT, ["BX-3"]);
    const listed = { kind: ProofKind.HANDOVER_LIST, clerkId: store.clerkId };
    expect((await trueChain(late)).at(-1)).toMatchObject({ type: EventType.PARCEL_RECALLED, proof: listed });
    const { reservation } = await courier.client.reservations.getReservation({ reservationId: late });
    expect(reservation?.state).toBe(ReservationState.RECALLED);
  });

  it("takes no parcel that belongs elsewhere, has ended, or is unknown", async () => {
    await couriers.announce("ELSEWHERE", { siteId: otherSiteId });
    const cancelled = await couriers.announce("ENDED");
    await courier.client.reservations.cancel({ requestId: randomUUID(), reservationId: cancelled, reason: 1 });
    await store.agent.syncNow();
    const deliveryId = randomUUID();
    await store.does({ case: "beginDelivery", value: { deliveryId, direction: Direction.IN } });
    for (const [label, refusal] of [
      ["ELSEWHERE", EntryRefusal.OTHER_SITE],
      ["ENDED", EntryRefusal.ENDED],
      ["NOBODY", EntryRefusal.NOT_ANNOUNCED],
    ] as const)
      expect(await store.does({ case: "scanParcel", value: { deliveryId, label } }), label).toMatchObject({ refusal });
  });
});

describe("what a store takes in", () => {
  it("is what the network offers: one more is one more, and a pause ends it until the clerk goes on", async () => {
    const takes = async (value: { isPaused?: boolean; limits?: { sizeClassId: string; more: number }[] }) => {
      expect(await store.does({ case: "setIntake", value })).toMatchObject({ refusal: EntryRefusal.UNSPECIFIED });
      await store.agent.flushed();
    };
    const refusal = async () => reasonOf(await couriers.reserve().catch((error: unknown) => error));
    await takes({ limits: [{ sizeClassId: "M", more: 1 }] });
    await couriers.reserve();
    expect(await refusal()).toBe("NO_PLACE_FREE");
    await takes({ isPaused: true });
    expect(await refusal()).toBe("SITE_INTAKE_PAUSED");
    await takes({});
    expect(await refusal()).toBeUndefined();
  });
});
