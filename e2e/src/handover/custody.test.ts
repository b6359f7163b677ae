import { randomUUID } from "node:crypto";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { createRequestSigner, generateKeyPair } from "@petak/client/node";
import {
  courierCode,
  type HandoverCondition,
  type HandoverEntry,
  type HandoverReason,
  handoverListText,
  handoverProof,
  handoverSignatures,
  newHandoverNonce,
  publicKeyOf,
  readSiteCode,
  signDriverCertificate,
  signSiteStatement,
} from "@petak/credential";
import {
  Act,
  DeviceEventType,
  DoubtReason,
  EventType,
  type Event as PetakEvent,
  ProofKind,
  Purpose,
  ReservationState,
  Role,
} from "@petak/protocol";
import { createFrozenClock, type FrozenClock, makeSite, useRedis } from "@petak/testkit";
import { type SiteReporter, startTestNetwork, type TestKey, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { beforeAll, describe, expect, it } from "vitest";
import { expectTrueChain, publishedIssuerKeys } from "../testing/chains.ts";

type ReportedEvent = Parameters<SiteReporter["report"]>[0];

const redis = useRedis();
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const { PARCEL_DEPOSITED, PARCEL_COLLECTED, PARCEL_RECALLED, HANDOVER_SIGNED } = DeviceEventType;
const driver = await generateKeyPair();

let clock: FrozenClock;
let network: TestNetwork;
let shop: TestParticipant;
let courier: TestParticipant;
let siteId: string;
let device: TestKey;
let agent: TestParticipant["client"]["agents"];
let sequence = 0n;

beforeAll(async () => {
  clock = createFrozenClock(Math.floor(Date.now() / 1000) * 1000);
  network = await startTestNetwork({ redis, now: clock.now });
  shop = await network.join("Shop", [Role.OPERATOR]);
  courier = await network.join("Courier", [Role.COURIER]);
  siteId = await network.putSite(
    shop,
    makeSite({ latitude: 1.3, longitude: 103.8, ref: "1", classes: [["M", 400, 200, 500, 20_000, 50]] }),
  );
  device = await network.agentKey(shop, siteId);
  agent = network.clientFor(createRequestSigner({ ...device, now: clock.now })).agents;
  return () => network.stop();
});

async function report(...events: ReportedEvent[]): Promise<void> {
  const numbered = events.map((event) => ({
    occurredAt: timestampFromMs(clock.now()),
    ...event,
    sequence: ++sequence,
    deviceEventId: randomUUID(),
  }));
  await agent.reportEvents({ siteId, events: numbered });
}

async function confirmed(purpose: Purpose = Purpose.DELIVERY): Promise<string> {
  const place = { case: "siteId", value: siteId } as const;
  const { reservation } = await courier.client.reservations.reserve({ requestId: randomUUID(), place, parcel, purpose });
  const reservationId = reservation?.reservationId ?? "";
  await courier.client.reservations.confirm({ requestId: randomUUID(), reservationId });
  return reservationId;
}

async function deposited(purpose?: Purpose): Promise<string> {
  const reservationId = await confirmed(purpose);
  const shown = await network.shownFor({ siteId, type: PARCEL_DEPOSITED, reservationId });
  await report({ type: PARCEL_DEPOSITED, reservationId, ...shown });
  return reservationId;
}

const stateOf = async (reservationId: string) => (await courier.client.reservations.getReservation({ reservationId })).reservation?.state;

function entry(reservationId: string, condition: HandoverCondition = "OK", reason: HandoverReason = ""): HandoverEntry {
  return { reservationId, labelCode: "", condition, reason };
}

interface Signing {
  direction?: "IN" | "OUT";
  /** The key that certifies the driver. */
  company?: TestKey;
  /** The device that signs for the site. */
  by?: TestKey;
}

/** What both sides have after the exchange. */
async function signed(entries: HandoverEntry[], { direction = "IN", company = courier.key, by = device }: Signing = {}) {
  const { participantId: courierId } = courier;
  const list = { siteId, direction, courierId, nonce: newHandoverNonce(), atMs: clock.now(), entries };
  const siteStatement = await signSiteStatement(by.privateJwk, publicKeyOf(by.privateJwk), list);
  const read = await readSiteCode(siteStatement);
  if (typeof read === "string") throw new Error(read);
  const [notBeforeS, driverKey] = [clock.now() / 1000, driver.publicKey];
  const certified = { courierId, keyId: company.keyId, driverKey, siteId, notBeforeS, notAfterS: notBeforeS + 3600 };
  const certificate = await signDriverCertificate(company.privateJwk, certified);
  const code = await courierCode(read.statement, { key: driver.privateJwk, publicKey: driverKey, certificate });
  const receipt = { list: handoverListText(list), siteStatement, courierCode: code };
  const { listHash } = read.statement;
  return {
    listHash,
    told: { type: HANDOVER_SIGNED, handover: handoverSignatures(receipt) },
    async moved(type: DeviceEventType, act: Act, reservationId: string): Promise<ReportedEvent> {
      const handover = (await handoverProof(receipt, reservationId)) ?? "";
      return { type, act, reservationId, proofKind: ProofKind.HANDOVER_LIST, credentialHash: listHash, handover };
    },
  };
}

/** The events of a type in a participant's feed that are about a list. */
async function eventsOf({ client }: TestParticipant, type: EventType, signatures: string): Promise<PetakEvent[]> {
  const found: PetakEvent[] = [];
  for (let cursor = "", hasMore = true; hasMore; ) {
    const page = await client.custody.listEvents({ cursor, pageSize: 1000 });
    found.push(...page.events.filter((event) => event.type === type && event.handover?.signatures === signatures));
    ({ nextCursor: cursor, hasMore } = page);
  }
  return found;
}

const trueChain = async (reservationId: string) =>
  await expectTrueChain(courier, reservationId, await publishedIssuerKeys(network.baseUrl));

describe("a list that courier and site signed", () => {
  it("is told to both, and moves the custody of the parcels that were handed over, but not of a refused one", async () => {
    const [intact, damaged, refused] = [await confirmed(), await confirmed(), await confirmed()];
    const list = await signed([entry(intact), entry(damaged, "DAMAGED", "WET"), entry(refused, "REFUSED", "NO_PLACE")]);
    const moves = [intact, damaged, refused].map((reservationId) => list.moved(PARCEL_DEPOSITED, Act.DEPOSIT, reservationId));
    await report(list.told, ...(await Promise.all(moves)));
    expect(await Promise.all([intact, damaged, refused].map(stateOf))).toEqual([
      ReservationState.DEPOSITED,
      ReservationState.DEPOSITED,
      ReservationState.IN_DOUBT,
    ]);
    for (const party of [shop, courier]) {
      const handover = {
        listHash: list.listHash,
        courierId: courier.participantId,
        isOutgoing: false,
        ok: 1,
        damaged: 1,
        refused: 1,
        fault: "",
      };
      expect(await eventsOf(party, EventType.HANDOVER_SIGNED, list.told.handover)).toMatchObject([
        { siteId, operatorId: shop.participantId, participantId: courier.participantId, handover },
      ]);
    }
    const { receipts } = await trueChain(intact);
    expect(receipts.length).toBe(2);
    await trueChain(refused);
  });

  it("moves what a courier fetches: an uncollected delivery, and a return", async () => {
    const [delivery, returned] = [await deposited(), await deposited(Purpose.RETURN)];
    const list = await signed([entry(delivery), entry(returned)], { direction: "OUT" });
    await report(
      list.told,
      await list.moved(PARCEL_RECALLED, Act.RECALL, delivery),
      await list.moved(PARCEL_COLLECTED, Act.COLLECT, returned),
    );
    expect(await Promise.all([delivery, returned].map(stateOf))).toEqual([ReservationState.RECALLED, ReservationState.COLLECTED]);
    for (const reservationId of [delivery, returned]) await trueChain(reservationId);
    // The recipient of a delivery signs no list.
    const [other] = [await deposited()];
    const wrong = await signed([entry(other)], { direction: "OUT" });
    await report(await wrong.moved(PARCEL_COLLECTED, Act.COLLECT, other));
    expect(await stateOf(other)).toBe(ReservationState.IN_DOUBT);
  });
});

describe("a list that does not verify", () => {
  const wrongLists: Record<string, [fault: string, sign: () => Promise<Signing>]> = {
    "of a driver whom another participant's key certified": [
      "certificate_key",
      async () => ({ company: (await network.join("Stranger", [Role.COURIER])).key }),
    ],
    "of a driver whom an agent's key certified": ["certificate_key", async () => ({ company: device })],
    "that another device of the site signed": ["site_key", async () => ({ by: await network.agentKey(shop, siteId) })],
    "of a driver whose courier had revoked the key": ["certificate_key", async () => ({ company: await revokedKey() })],
  };

  it.each(Object.entries(wrongLists))("%s is told to the operator only, and a parcel by it is in doubt", async (_name, [fault, sign]) => {
    const reservationId = await confirmed();
    const list = await signed([entry(reservationId)], await sign());
    await report(list.told, await list.moved(PARCEL_DEPOSITED, Act.DEPOSIT, reservationId));
    expect(await eventsOf(shop, EventType.HANDOVER_NOT_PROVEN, list.told.handover)).toMatchObject([
      { participantId: "", handover: { fault } },
    ]);
    expect(await eventsOf(courier, EventType.HANDOVER_NOT_PROVEN, list.told.handover)).toEqual([]);
    const { events, receipts } = await trueChain(reservationId);
    expect(events.at(-1)).toMatchObject({ type: EventType.RESERVATION_IN_DOUBT, doubtReason: DoubtReason.CREDENTIAL_NOT_ISSUED });
    expect(receipts.length).toBe(1);
  });

  async function revokedKey(): Promise<TestKey> {
    const { key } = await network.withMode(courier, 2);
    await courier.client.participants.revokeKey({ requestId: randomUUID(), keyId: key.keyId });
    return key;
  }
});

it("an agent gets the keys of the couriers with reservations at its site, and hears that lists are taken", async () => {
  await confirmed();
  const { courierKeys, takesHandoverLists, version } = await agent.sync({ siteId });
  const { participantId: courierId, keyId, privateJwk } = courier.key;
  expect(courierKeys).toMatchObject([{ courierId, keyId }]);
  expect(Buffer.from(courierKeys[0]?.publicKey ?? []).toString("base64url")).toBe(privateJwk.x);
  expect(takesHandoverLists).toBe(true);
  expect(await agent.sync({ siteId, knownVersion: version })).toMatchObject({ unchanged: true, courierKeys: [], takesHandoverLists: true });
});
