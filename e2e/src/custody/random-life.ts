import { randomUUID } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  countersignatureText,
  type Ed25519KeyPair,
  generateIssuerKey,
  generateKeyPair,
  handOverOf,
  type IssuerKeyPair,
  type IssuerKeyPeriod,
  partyOn,
  receiptOf,
  reportClaims,
  reportText,
  signChainStatement,
  signEd25519,
  signReceipt,
} from "@petak/credential";
import {
  Act,
  ChainHeadSchema,
  CloudEventAttributesSchema,
  type Countersignature,
  CountersignatureSchema,
  DeviceEventSchema,
  DeviceEventType,
  type Event,
  EventSchema,
  EventType,
  type GetCustodyChainResponse,
  GetCustodyChainResponseSchema,
  newEventId,
  newParticipantId,
  newReservationId,
  PartyKind,
  PartySchema,
  ProofKind,
  Purpose,
  type Receipt,
  type Reservation,
  ReservationSchema,
  ReservationState,
  type SignedReport,
  SignedReportSchema,
} from "@petak/protocol";
import type { Random } from "@petak/testkit";

const S = ReservationState;
const E = EventType;

/** When the second issuer key starts to sign. */
const changeMs = Date.UTC(2026, 10, 25);

/** The keys of a network, for lives without a gateway. */
export interface LifeKeys {
  issuers: readonly [IssuerKeyPair, IssuerKeyPair];
  /** The issuer's keys as they are published. */
  periods: readonly IssuerKeyPeriod[];
  agent: Ed25519KeyPair;
  courier: Ed25519KeyPair;
}

/** Makes the keys of all signers. */
export async function makeLifeKeys(): Promise<LifeKeys> {
  const first = await generateIssuerKey();
  const second = await generateIssuerKey({ takenKeyIds: new Set([first.keyId]) });
  const [agent, courier] = [await generateKeyPair(), await generateKeyPair()];
  const periods = [
    { ...first, signsUntilMs: changeMs },
    { ...second, signsFromMs: changeMs },
  ];
  return { issuers: [first, second], periods, agent, courier };
}

/** The key that signs at a time, in ms. */
export function issuerAt({ issuers }: LifeKeys, atMs: number): IssuerKeyPair {
  return issuers[atMs < changeMs ? 0 : 1];
}

/** A parcel's life, step by step, with the receipts that a gateway makes of it. */
class Life {
  readonly events: Event[] = [];
  readonly receipts: Receipt[] = [];
  reservation: Reservation;
  #atMs: number;
  #sequence: number;
  readonly #random: Random;
  readonly #keys: LifeKeys;

  constructor(random: Random, keys: LifeKeys) {
    this.#random = random;
    this.#keys = keys;
    this.#sequence = random.int(1, 100_000);
    this.#atMs = changeMs + random.int(-4, 1) * 3_600_000;
    const purpose = random.pick([Purpose.DELIVERY, Purpose.FIRST_MILE, Purpose.RETURN]);
    const participantId = newParticipantId();
    const participant = create(PartySchema, { kind: PartyKind.PARTICIPANT, participantId });
    const consumer = create(PartySchema, { kind: PartyKind.CONSUMER });
    const [depositor, collector] = purpose === Purpose.DELIVERY ? [participant, consumer] : [consumer, participant];
    this.reservation = create(ReservationSchema, {
      reservationId: newReservationId("83652b"),
      siteId: "site_83652b_k3v9c0x2md00004k",
      operatorId: newParticipantId(),
      participantId,
      purpose,
      depositor,
      collector,
      partnerReference: random.pick(["", "order-7", "Bücher 📦"]),
      isTest: random.bool(),
    });
  }

  /** Records an event that an agent reported, a participant caused or the clock caused. */
  async go(type: EventType, to: ReservationState, by: "agent" | "operator" | "participant" | "clock", countersignature?: Countersignature) {
    this.#atMs += this.#random.int(1, 90) * 60_000;
    const { operatorId, participantId, reservationId, siteId, state } = this.reservation;
    const recordedAtMs = this.#atMs + (by === "agent" ? this.#random.int(0, 3_600_000) : 0);
    const changes = to !== state || countersignature !== undefined;
    const revision = this.reservation.revision + (changes ? 1 : 0);
    const actors = {
      agent: { kind: PartyKind.AGENT, participantId: operatorId },
      operator: { kind: PartyKind.PARTICIPANT, participantId: operatorId },
      participant: { kind: PartyKind.PARTICIPANT, participantId },
      clock: { kind: PartyKind.GATEWAY },
    };
    const event = create(EventSchema, {
      eventId: newEventId("83652b"),
      schemaVersion: 1,
      type,
      reservationId,
      siteId,
      operatorId,
      participantId,
      actor: actors[by],
      occurredAt: timestampFromMs(this.#atMs),
      recordedAt: timestampFromMs(recordedAtMs),
      stateBefore: state,
      stateAfter: to,
      partnerReference: this.reservation.partnerReference,
      isTest: this.reservation.isTest,
      reservationRevision: revision,
      occurredAtUtcOffset: durationFromMs(8 * 3_600_000),
    });
    event.cloudEvent = create(CloudEventAttributesSchema, { specversion: "1.0", id: event.eventId, subject: reservationId });
    const report = by === "agent" ? await this.#report(event) : undefined;
    this.reservation = { ...this.reservation, state: to, revision };
    const handOver = handOverOf(event);
    if (handOver !== undefined) await this.#sign(event, report, countersignature);
    this.events.push(event);
    this.#atMs = recordedAtMs;
  }

  /** The participant signs one of the receipts of a hand-over that it gave or received, if one is unsigned. */
  async countersign(): Promise<void> {
    const { participantId, state } = this.reservation;
    const signed = new Set(this.events.map(({ receipt }) => receipt?.countersignature?.number));
    const own = this.events.find(
      ({ receipt }) =>
        receipt !== undefined &&
        !signed.has(receipt.number) &&
        [receipt.givenBy, receipt.receivedBy].some((party) => party?.participantId === participantId),
    )?.receipt;
    const receiptHash = this.receipts[(own?.number ?? 0) - 1]?.hash;
    if (own === undefined || receiptHash === undefined) return;
    const { privateJwk, publicKey } = this.#keys.courier;
    const keyId = "key_test_courier";
    const signature = await signText(privateJwk, countersignatureText({ keyId, participantId, receiptHash }));
    const countersignature = create(CountersignatureSchema, { number: own.number, receiptHash, keyId, publicKey, signature });
    await this.go(E.RECEIPT_COUNTERSIGNED, state, "participant", countersignature);
  }

  /** The response to GetCustodyChain a minute later. */
  async chain(): Promise<GetCustodyChainResponse> {
    const { reservation, events, receipts } = this;
    const asOfMs = this.#atMs + 60_000;
    const statement = await signChainStatement({ reservation, events, earlierCount: 0, asOfMs }, issuerAt(this.#keys, asOfMs));
    return create(GetCustodyChainResponseSchema, { reservation, events, receipts, statement });
  }

  /** The agent's report of an event, and the event's proof. */
  async #report(event: Event): Promise<SignedReport> {
    const random = this.#random;
    const { privateJwk, publicKey } = this.#keys.agent;
    const keyId = "key_test_agent";
    const name = Object.entries(EventType).find(([, value]) => value === event.type)?.[0] as keyof typeof DeviceEventType;
    this.#sequence += random.int(1, 5);
    const { occurredAt } = event;
    const said = create(DeviceEventSchema, {
      sequence: BigInt(this.#sequence),
      deviceEventId: randomUUID(),
      type: DeviceEventType[name] ?? DeviceEventType.DOUBT,
      ...(occurredAt && { occurredAt }),
      offline: random.bool(0.3),
      reservationId: event.reservationId,
      compartmentId: random.pick(["", "M-1", "A7"]),
      proofKind: random.pick([ProofKind.ACCESS_TOKEN, ProofKind.PIN]),
      credentialHash: Buffer.from(random.bytes(32)).toString("base64url"),
      act: acts.get(event.type) ?? Act.UNSPECIFIED,
      delegated: random.bool(0.2),
      bundleId: random.pick(["", "", "bdl_83652b_5t8yq2m4p9w7z3x1"]),
    });
    const {
      proofKind: kind,
      credentialHash,
      offline,
      compartmentId,
      sequence: deviceSequence,
      act,
      deviceEventId,
      delegated,
      bundleId,
    } = said;
    event.proof = create(EventSchema, { proof: { kind, credentialHash, offline, compartmentId, deviceSequence, agentKeyId: keyId } })
      .proof as never;
    event.bundleId = bundleId;
    const signature = await signText(privateJwk, reportText(keyId, reportClaims(event.siteId, said)));
    return create(SignedReportSchema, { publicKey, signature, deviceEventId, act, delegated, bundleId });
  }

  async #sign(event: Event, report: SignedReport | undefined, countersignature: Countersignature | undefined): Promise<void> {
    const { chain, operatorId, purpose } = this.reservation;
    const operator = create(PartySchema, { kind: PartyKind.PARTICIPANT, participantId: operatorId });
    const [giver, receiver] = handOverOf(event)?.sides ?? [];
    const [givenBy, receivedBy] = [partyOn(giver, this.reservation, operator), partyOn(receiver, this.reservation, operator)];
    const atMs = Number(event.recordedAt?.seconds) * 1000 + (event.recordedAt?.nanos ?? 0) / 1e6;
    const { eventReceipt } = await signReceipt(
      event,
      {
        number: (chain?.length ?? 0) + 1,
        previousHash: chain?.lastHash ?? "",
        continuedReservationId: "",
        purpose,
        ...(givenBy && { givenBy }),
        ...(receivedBy && { receivedBy }),
        ...(report && { report }),
        ...(countersignature && { countersignature }),
      },
      issuerAt(this.#keys, atMs),
    );
    event.receipt = eventReceipt;
    const receipt = await receiptOf(event, eventReceipt);
    this.receipts.push(receipt);
    this.reservation = { ...this.reservation, chain: create(ChainHeadSchema, { length: receipt.number, lastHash: receipt.hash }) };
  }
}

async function signText(privateJwk: Ed25519KeyPair["privateJwk"], text: string): Promise<Uint8Array<ArrayBuffer>> {
  return await signEd25519(privateJwk, new TextEncoder().encode(text));
}

/** The act of the credential with which an agent's hand-over is reported. */
const acts: ReadonlyMap<EventType, Act> = new Map<EventType, Act>([
  [E.PARCEL_DEPOSITED, Act.DEPOSIT],
  [E.PARCEL_COLLECTED, Act.COLLECT],
  [E.PARCEL_RECALLED, Act.RECALL],
]);

/** The number of ways in which a life can end: collected, taken back, or in doubt with one of five resolutions. */
export const endings = 7;

/** The chain of a random life with a given ending. It may be cut short at any earlier step. */
export async function randomChain(
  random: Random,
  keys: LifeKeys,
  { mayEndEarly = true, ending = random.int(0, endings - 1) } = {},
): Promise<GetCustodyChainResponse> {
  const life = new Life(random, keys);
  const inside = async () => {
    await life.go(E.DOOR_OPENED, life.reservation.state, "agent");
    await life.go(E.PARCEL_DEPOSITED, S.DEPOSITED, "agent");
  };
  const steps: (() => Promise<void>)[] = [
    () => life.go(E.RESERVATION_HELD, S.HELD, "participant"),
    () => life.go(E.RESERVATION_CONFIRMED, S.CONFIRMED, "participant"),
    () => life.go(E.CREDENTIAL_ISSUED, S.CONFIRMED, "participant"),
  ];
  if (random.bool(0.2)) steps.push(() => life.go(E.RESERVATION_NO_SHOW, S.NO_SHOW, "clock"));
  steps.push(inside);
  const doubt = () => life.go(E.RESERVATION_IN_DOUBT, S.IN_DOUBT, "agent");
  const resolutions = [
    () => life.go(E.PARCEL_COLLECTED, S.COLLECTED, "operator"),
    () => life.go(E.PARCEL_RECALLED, S.RECALLED, "operator"),
    () => life.go(E.RESERVATION_NO_SHOW, S.NO_SHOW, "operator"),
    () => life.go(E.PARCEL_COLLECTED, S.COLLECTED, "agent"),
    () => life.go(E.PARCEL_RECALLED, S.RECALLED, "agent"),
  ];
  const ends = [...resolutions.slice(-2).map((seen) => [seen]), ...resolutions.map((resolution) => [doubt, resolution])];
  steps.push(...(ends[ending] ?? []));
  const end = mayEndEarly ? random.int(1, steps.length) : steps.length;
  for (const step of steps.slice(0, end)) {
    await step();
    if (random.bool(0.3)) await life.countersign();
  }
  if (!mayEndEarly) await life.countersign();
  return await life.chain();
}
