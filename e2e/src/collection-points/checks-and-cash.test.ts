import { randomUUID } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import {
  DeviceEventType,
  EventType,
  fromConnectError,
  type MoneySchema,
  ParcelRequirement,
  Purpose,
  ReservationState,
  Role,
  SiteKind,
  SiteService,
} from "@petak/protocol";
import { makeSite, useRedis } from "@petak/testkit";
import { type SiteReporter, startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { beforeEach, describe, expect, it } from "vitest";
import { expectTrueChain, publishedIssuerKeys } from "../testing/chains.ts";

type Reported = Partial<Parameters<SiteReporter["report"]>[number]>;
type Amount = Omit<MessageInitShape<typeof MoneySchema>, "$typeName">;

const redis = useRedis();
const measures = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const { AGE_CHECK, ID_CHECK, PERSONAL_COLLECTION, CASH_ON_DELIVERY, NO_LOCKER } = ParcelRequirement;
const due: Amount = { currencyCode: "SGD", units: 12n, nanos: 500_000_000 };
const services = [SiteService.AGE_CHECK, SiteService.ID_CHECK, SiteService.PERSONAL_COLLECTION, SiteService.CASH_ON_DELIVERY];
let network: TestNetwork;
let shop: TestParticipant;
let courier: TestParticipant;
let siteId: string;
let reporter: SiteReporter;

beforeEach(async () => {
  network = await startTestNetwork({ redis });
  shop = await network.join("Shop", [Role.OPERATOR]);
  courier = await network.join("Courier", [Role.COURIER]);
  siteId = await network.putSite(
    shop,
    makeSite(
      { latitude: 1.3, longitude: 103.8, kind: SiteKind.COLLECTION_POINT, classes: [["M", 400, 200, 500, 20_000, 8]] },
      { services },
    ),
  );
  reporter = await network.reporterAt(shop, siteId);
  return () => network.stop();
});

async function reserve(requirements: ParcelRequirement[], cashDue?: Amount, purpose: Purpose = Purpose.DELIVERY): Promise<string> {
  const parcel = { ...measures, requirements, ...(cashDue && { cashDue }) };
  const place = { case: "siteId", value: siteId } as const;
  return (await courier.client.reservations.reserve({ requestId: randomUUID(), place, parcel, purpose })).reservation?.reservationId ?? "";
}

/** A deposited parcel. */
async function deposited(...asked: Parameters<typeof reserve>): Promise<string> {
  const reservationId = await reserve(...asked);
  await courier.client.reservations.confirm({ requestId: randomUUID(), reservationId });
  await reporter.report({ type: DeviceEventType.PARCEL_DEPOSITED, reservationId, compartmentId: "A1" });
  return reservationId;
}

const collect = (reservationId: string, facts: Reported = {}) =>
  reporter.report({ type: DeviceEventType.PARCEL_COLLECTED, reservationId, compartmentId: "A1", ...facts });

/** The collection as a participant's feed has it. */
async function collectedIn({ client }: TestParticipant, reservationId: string) {
  const { events } = await client.custody.listEvents({ pageSize: 1000 });
  return events.find((event) => event.reservationId === reservationId && event.type === EventType.PARCEL_COLLECTED);
}

describe("what is checked and paid when a parcel is handed over", () => {
  it("is in the custody chain and in both feeds, and nothing is missing", async () => {
    const reservationId = await deposited([AGE_CHECK, ID_CHECK, CASH_ON_DELIVERY, NO_LOCKER], due);
    await collect(reservationId, { checksDone: [AGE_CHECK, ID_CHECK], cashCollected: due });
    const facts = { checksDone: [AGE_CHECK, ID_CHECK], cashCollected: due, missingChecks: [] };
    const { reservation, events } = await expectTrueChain(courier, reservationId, await publishedIssuerKeys(network.baseUrl));
    expect(reservation).toMatchObject({ state: ReservationState.COLLECTED, parcel: { cashDue: due } });
    expect(events.at(-1)).toMatchObject(facts);
    for (const party of [courier, shop]) expect(await collectedIn(party, reservationId)).toMatchObject(facts);
  });

  it("is recorded as it was, and the event names what is missing, which is nothing when a courier fetches a return", async () => {
    const checks = { checksDone: [AGE_CHECK, PERSONAL_COLLECTION] };
    const cases: [what: string, reported: Reported, missing: ParcelRequirement[]][] = [
      ["nothing is reported", {}, [AGE_CHECK, PERSONAL_COLLECTION, CASH_ON_DELIVERY]],
      ["something else was checked", { checksDone: [ID_CHECK], cashCollected: due }, [AGE_CHECK, PERSONAL_COLLECTION]],
      ["a cent too little was paid", { ...checks, cashCollected: { ...due, nanos: 490_000_000 } }, [CASH_ON_DELIVERY]],
      ["another currency was paid", { ...checks, cashCollected: { ...due, currencyCode: "MYR" } }, [CASH_ON_DELIVERY]],
      ["more was paid", { ...checks, cashCollected: { ...due, units: 13n, nanos: 0 } }, []],
    ];
    for (const [what, reported, missingChecks] of cases) {
      const reservationId = await deposited([AGE_CHECK, PERSONAL_COLLECTION, CASH_ON_DELIVERY], due);
      await collect(reservationId, reported);
      for (const party of [courier, shop]) expect(await collectedIn(party, reservationId), what).toMatchObject({ missingChecks });
      const { reservation } = await courier.client.reservations.getReservation({ reservationId });
      expect(reservation?.state, what).toBe(ReservationState.COLLECTED);
    }
    const returned = await deposited([AGE_CHECK], undefined, Purpose.RETURN);
    await collect(returned);
    expect(await collectedIn(courier, returned)).toMatchObject({ missingChecks: [] });
  });

  it("stays with the event when the collection itself is in doubt, which says nothing of missing checks", async () => {
    const reservationId = await deposited([AGE_CHECK, ID_CHECK]);
    await collect(reservationId, { checksDone: [AGE_CHECK], credentialHash: "x".repeat(43) });
    const { reservation, events } = await expectTrueChain(courier, reservationId, await publishedIssuerKeys(network.baseUrl));
    expect(reservation?.state).toBe(ReservationState.IN_DOUBT);
    expect(events.at(-1)).toMatchObject({ type: EventType.RESERVATION_IN_DOUBT, checksDone: [AGE_CHECK], missingChecks: [] });
  });
});

describe("checks in a report of another type", () => {
  it("are ignored, and the chain stays true", async () => {
    const reservationId = await reserve([AGE_CHECK]);
    await courier.client.reservations.confirm({ requestId: randomUUID(), reservationId });
    const checks = { checksDone: [AGE_CHECK], cashCollected: due };
    await reporter.report({ type: DeviceEventType.PARCEL_DEPOSITED, reservationId, compartmentId: "A1", ...checks });
    const { events } = await expectTrueChain(courier, reservationId, await publishedIssuerKeys(network.baseUrl));
    expect(events.at(-1)).toMatchObject({ type: EventType.PARCEL_DEPOSITED, checksDone: [], missingChecks: [] });
  });
});

describe("an amount to pay at the site", () => {
  it("is told to the site, is not needed to search, and is stated with the requirement and not without", async () => {
    const reservationId = await reserve([AGE_CHECK, CASH_ON_DELIVERY], due);
    await courier.client.reservations.confirm({ requestId: randomUUID(), reservationId });
    const agent = network.clientFor(await network.agentSigner(shop, siteId)).agents;
    expect((await agent.sync({ siteId })).allowances).toMatchObject([{ requirements: [AGE_CHECK, CASH_ON_DELIVERY], cashDue: due }]);

    const parcel = { ...measures, requirements: [CASH_ON_DELIVERY] };
    const { options } = await courier.client.directory.findNearest({ origin: { latitude: 1.3, longitude: 103.8 }, parcel });
    expect(options.map(({ site }) => site?.siteId)).toEqual([siteId]);

    const refused: [ParcelRequirement[], Amount | undefined, RegExp][] = [
      [[AGE_CHECK], due, /without the requirement CASH_ON_DELIVERY/],
      [[CASH_ON_DELIVERY], undefined, /since the parcel requires CASH_ON_DELIVERY/],
      [[CASH_ON_DELIVERY], { currencyCode: "SGD" }, /more than 0/],
    ];
    for (const [requirements, cashDue, description] of refused) {
      const error = fromConnectError((await reserve(requirements, cashDue).catch((thrown: unknown) => thrown)) as ConnectError);
      expect(error?.reason).toBe("INVALID_FIELD");
      expect(error?.fieldViolations).toMatchObject([{ field: "parcel.cash_due", description: expect.stringMatching(description) }]);
    }
  });
});
