/**
 * The common scene of the receipts' vectors: the life of one parcel, with all signers. Uses the protocol's JSON and node:crypto only, not packages/credential.
 */
import { base64url, keyNamed, sha256, signText, type VectorKey } from "../signing.ts";

/** 24 November 2026, 12:00 UTC. */
export const startMs = 1_795_521_600_000;
/** When the second issuer key takes over: between deposit and collection. */
export const changeMs = startMs + 3.5 * 3_600_000;

export const firstKey = keyNamed("the issuer's first key for receipts");
export const secondKey = keyNamed("the issuer's second key for receipts");
export const agentKey = keyNamed("an agent");
export const courierKey = keyNamed("a courier");
export const strangerKey = keyNamed("a stranger");

export const agentKeyId = "key_test_0123456789abcdef";
export const courierKeyId = "key_test_fedcba9876543210";
const operatorId = "par_0p0p0p0p0p0p0p0p";
export const courierId = "par_c0c0c0c0c0c0c0c0";
export const siteId = "site_83652b_k3v9c0x2md00004k";
export const reservationId = "res_83652b_8xk2m4p9q7w3t5z1";
export const otherReservationId = "res_83652b_1z5t3w7q9p4m2kx8";

/** A JSON object. */
export type Json = Record<string, unknown>;

/** A published issuer key. */
export interface VectorIssuerKey {
  kty: string;
  crv: string;
  x: string;
  kid: string;
  use: string;
  alg: string;
  signs_from?: string;
  signs_until?: string;
}

/** The issuer's keys, as they are published. */
export const issuerKeys: VectorIssuerKey[] = [
  { ...published(firstKey), signs_until: new Date(changeMs).toISOString() },
  { ...published(secondKey), signs_from: new Date(changeMs).toISOString() },
];

function published({ keyId, publicKey }: VectorKey): VectorIssuerKey {
  return { kty: "OKP", crv: "Ed25519", x: base64url(publicKey), kid: keyId, use: "sig", alg: "EdDSA" };
}

/** The response of GetCustodyChain. */
export interface Chain {
  reservation: Json & { chain?: { length: number; lastHash: string } };
  events: Json[];
  receipts: { number: number; hash: string; jws: string }[];
  /** Undefined: the gateway made no statement. */
  statement?: { jws: string; eventHashes: string };
}

/** The signing input of a compact JWS. */
export function signedText(typ: string, kid: string, claims: unknown): string {
  return `${base64url(JSON.stringify({ alg: "EdDSA", typ, kid }))}.${base64url(JSON.stringify(claims))}`;
}

/** A compact JWS. */
export function jwsOf(typ: string, key: VectorKey, claims: unknown, kid = key.keyId): string {
  const text = signedText(typ, kid, claims);
  return `${text}.${base64url(signText(text, key))}`;
}

/** The hash of a receipt. */
export function hashOf(jws: string): string {
  return base64url(sha256(jws));
}

/** What was checked and paid at a hand-over, by the names of the protocol. */
export interface Checked {
  checks?: string[];
  cash?: { currencyCode: string; units: string; nanos: number };
}

/** The members of reports and receipts that say so. */
function checkedClaims({ checks, cash }: Checked = {}): Json {
  return {
    ...(checks && { checks: checks.join(" ") }),
    ...(cash && { cash: `${cash.currencyCode} ${cash.units}.${String(cash.nanos).padStart(9, "0")}` }),
  };
}

/** Changes of a link. */
export interface LinkOptions {
  /** Changes the claims before they are signed, and with them the event where it is said so. */
  claims?: (claims: Json) => void;
  /** Another key of the agent's, or of the countersigner's. */
  signer?: VectorKey;
  issuer?: VectorKey;
  kid?: string;
  /** The credential is a token that is bound to a key: its hash, and the presence of its holder. */
  bound?: { hash: string; presence: string };
  /** A hand-over list proves it: its hash, the proof, and the courier's key as the gateway names it, in base64url. */
  listed?: { hash: string; proof?: string | undefined; courierKey?: string | undefined };
  /** The agent's report is chained: the hash of the one before it, in base64url, and what the receipt and the event say of it, if that differs. */
  previous?: { signed: string; told?: string | undefined };
  /** What the agent signed that it checked and was paid, and what the receipt says of it, if that differs. The event says what the agent signed. */
  checked?: { signed: Checked; told?: Checked };
  /** True: without the agent's signature. */
  unsigned?: boolean;
  countersigned?: { number: number; hash?: string; participantId?: string };
}

/** Facts of a parcel's life. */
export interface LifeOptions {
  reservationId?: string;
  purpose?: "DELIVERY" | "FIRST_MILE" | "RETURN";
  continues?: { reservationId: string; hash: string };
}

const participant = (participantId: string) => ({ kind: "PARTICIPANT", participant_id: participantId });
const consumer = { kind: "CONSUMER", participant_id: "" };
const eventNames: Json = {
  RESERVED: "RESERVATION_CONFIRMED",
  DEPOSITED: "PARCEL_DEPOSITED",
  COLLECTED: "PARCEL_COLLECTED",
  RECALLED: "PARCEL_RECALLED",
  NO_PARCEL: "RESERVATION_NO_SHOW",
  COUNTERSIGNED: "RECEIPT_COUNTERSIGNED",
};

/** The life of a parcel, step by step, and the resulting chain. */
export function newLife({ reservationId: id = reservationId, purpose = "DELIVERY", continues }: LifeOptions = {}) {
  const isDelivery = purpose === "DELIVERY";
  const [depositor, collector] = isDelivery ? [participant(courierId), consumer] : [consumer, participant(courierId)];
  let state = "";
  let revision = 0;
  let atMs = startMs;
  let sequence = 40;
  let eventCount = 0;
  let last = continues?.hash ?? "";
  const chain: Chain = { reservation: {}, events: [], receipts: [] };

  /** Adds an event; `by` is its actor. */
  function go(type: string, to: string, by: "AGENT" | "OPERATOR" | "PARTICIPANT", act?: string, options: LinkOptions = {}) {
    eventCount += 1;
    atMs += 3_600_000;
    const stateBefore = state;
    if (to !== stateBefore || act === "COUNTERSIGNED") revision += 1;
    state = to;
    const actor = by === "AGENT" ? { kind: "AGENT", participant_id: operatorId } : participant(by === "OPERATOR" ? operatorId : courierId);
    const eventId = `evt_83652b_${id.slice(-8)}${String(eventCount).padStart(8, "0")}`;
    if (by === "AGENT") sequence += 1;
    const proof =
      by === "AGENT"
        ? {
            kind: options.listed ? "HANDOVER_LIST" : options.bound ? "BOUND_ACCESS_TOKEN" : act === "COLLECTED" ? "PIN" : "ACCESS_TOKEN",
            credential_hash: options.listed?.hash ?? options.bound?.hash ?? hashOf(`a credential for ${type}`),
            parent_credential_hash: "",
            compartment_id: "M-3",
            offline: act === "COLLECTED",
            agent_key_id: agentKeyId,
            device_sequence: sequence,
            ...(options.bound && { presence: options.bound.presence }),
            ...(options.listed?.proof !== undefined && { handover: options.listed.proof }),
            ...(options.listed?.courierKey !== undefined && { courier_public_key: options.listed.courierKey }),
          }
        : null;
    const event: Json = {
      eventId,
      schemaVersion: 1,
      type: `EVENT_TYPE_${type}`,
      reservationId: id,
      siteId,
      operatorId,
      participantId: courierId,
      actor: partyJson(actor),
      occurredAt: new Date(atMs).toISOString(),
      recordedAt: new Date(atMs + 120).toISOString(),
      ...(stateBefore === "" ? {} : { stateBefore: `RESERVATION_STATE_${stateBefore}` }),
      stateAfter: `RESERVATION_STATE_${to}`,
      ...(proof === null ? {} : { proof: proofJson(proof) }),
      partnerReference: "order-7",
      isTest: true,
      reservationRevision: revision,
      ...checkedJson(options.checked?.signed),
    };
    chain.events.push(event);
    if (act === undefined) return;
    const sides: Record<string, unknown[]> = {
      DEPOSITED: [depositor, participant(operatorId)],
      COLLECTED: [participant(operatorId), collector],
      RECALLED: [participant(operatorId), depositor],
    };
    const [givenBy = null, receivedBy = null] = sides[act] ?? [];
    const number = chain.receipts.length + 1;
    const claims: Json = {
      version: 1,
      number,
      previous: last,
      continues: number === 1 ? (continues?.reservationId ?? "") : "",
      act,
      given_by: givenBy,
      received_by: receivedBy,
      event_id: eventId,
      schema_version: 1,
      occurred_at_ms: atMs,
      recorded_at_ms: atMs + 120,
      actor,
      reservation_id: id,
      revision,
      state_before: stateBefore,
      state_after: to,
      purpose,
      site_id: siteId,
      operator_id: operatorId,
      participant_id: courierId,
      partner_reference: "order-7",
      is_test: true,
      bundle_id: "",
      proof,
      report: proof === null || options.unsigned === true ? null : reportOf(proof, type, eventId, options),
      countersignature: countersignatureOf(options),
    };
    options.claims?.(claims);
    const issuer = options.issuer ?? (atMs + 120 < changeMs ? firstKey : secondKey);
    const jws = jwsOf("petak-receipt", issuer, claims, options.kid);
    last = hashOf(jws);
    chain.receipts.push({ number, hash: last, jws });
    event.receipt = receiptJson(claims, jws, options.kid ?? issuer.keyId);
  }

  function reportOf(proof: Json, type: string, deviceEventId: string, { signer = agentKey, previous, checked }: LinkOptions) {
    const acts: Json = { PARCEL_DEPOSITED: "DEPOSIT", PARCEL_COLLECTED: "COLLECT", PARCEL_RECALLED: "RECALL" };
    const report = { act: acts[type], delegated: false, bundle_id: "" };
    const text = signedText("petak-report", agentKeyId, {
      version: 1,
      site_id: siteId,
      sequence: proof.device_sequence,
      device_event_id: uuidOf(deviceEventId),
      type,
      occurred_at_ms: atMs,
      offline: proof.offline,
      reservation_id: id,
      compartment_id: proof.compartment_id,
      proof_kind: proof.kind,
      credential_hash: proof.credential_hash,
      refusal: "",
      ...report,
      ...(proof.presence === undefined ? {} : { presence: proof.presence }),
      ...(previous && { previous: previous.signed }),
      ...checkedClaims(checked?.signed),
      ...(proof.handover === undefined ? {} : { handover: proof.handover }),
    });
    const signature = base64url(signText(text, signer));
    const told = previous === undefined || "told" in previous ? previous?.told : previous.signed;
    const later = { ...(told !== undefined && { previous: told }), ...checkedClaims(checked?.told ?? checked?.signed) };
    return { ...report, device_event_id: uuidOf(deviceEventId), public_key: base64url(agentKey.publicKey), signature, ...later };
  }

  function countersignatureOf({ countersigned, signer = courierKey }: LinkOptions) {
    if (countersigned === undefined) return null;
    const { number, hash = chain.receipts[number - 1]?.hash ?? "" } = countersigned;
    const participant_id = countersigned.participantId ?? courierId;
    const text = signedText("petak-countersignature", courierKeyId, { version: 1, receipt: hash, participant_id });
    const signature = base64url(signText(text, signer));
    return { number, receipt: hash, key_id: courierKeyId, public_key: base64url(courierKey.publicKey), signature };
  }

  const life = {
    held: () => go("RESERVATION_HELD", "HELD", "PARTICIPANT"),
    confirmed: (options?: LinkOptions) => go("RESERVATION_CONFIRMED", "CONFIRMED", "PARTICIPANT", "RESERVED", options),
    deposited: (options?: LinkOptions) => go("PARCEL_DEPOSITED", "DEPOSITED", "AGENT", "DEPOSITED", options),
    collected: (options?: LinkOptions) => go("PARCEL_COLLECTED", "COLLECTED", "AGENT", "COLLECTED", options),
    recalled: (options?: LinkOptions) => go("PARCEL_RECALLED", "RECALLED", "AGENT", "RECALLED", options),
    doubted: () => go("RESERVATION_IN_DOUBT", "IN_DOUBT", "AGENT"),
    resolved: (act: "COLLECTED" | "RECALLED" | "NO_PARCEL") =>
      go(String(eventNames[act]), act === "NO_PARCEL" ? "NO_SHOW" : act, "OPERATOR", act),
    countersigned: (options: LinkOptions) =>
      go(
        "RECEIPT_COUNTERSIGNED",
        state,
        options.countersigned?.participantId === operatorId ? "OPERATOR" : "PARTICIPANT",
        "COUNTERSIGNED",
        options,
      ),
    chain(): Chain {
      chain.reservation = {
        reservationId: id,
        siteId,
        operatorId,
        participantId: courierId,
        state: `RESERVATION_STATE_${state}`,
        purpose: `PURPOSE_${purpose}`,
        depositor: partyJson(depositor),
        collector: partyJson(collector),
        partnerReference: "order-7",
        isTest: true,
        revision,
        ...(chain.receipts.length === 0 ? {} : { chain: { length: chain.receipts.length, lastHash: last } }),
      };
      return structuredClone(chain);
    },
  };
  return life;
}

function uuidOf(name: string): string {
  const hex = sha256(name).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** A message in the protocol's JSON, without unset fields. */
function withoutUnset(message: Json): Json {
  return Object.fromEntries(
    Object.entries(message).filter(([, value]) => value !== "" && value !== false && value !== null && value !== undefined),
  );
}

/** The members of an event that say what was checked and paid. */
function checkedJson({ checks, cash }: Checked = {}): Json {
  return { ...(checks && { checksDone: checks.map((name) => `PARCEL_REQUIREMENT_${name}`) }), ...(cash && { cashCollected: cash }) };
}

function partyJson(party: unknown): Json | undefined {
  if (party === null) return undefined;
  const { kind, participant_id } = party as { kind: string; participant_id: string };
  return withoutUnset({ kind: `PARTY_KIND_${kind}`, participantId: participant_id });
}

function proofJson(proof: Json): Json {
  return withoutUnset({
    kind: `PROOF_KIND_${proof.kind}`,
    credentialHash: proof.credential_hash,
    offline: proof.offline,
    agentKeyId: proof.agent_key_id,
    deviceSequence: String(proof.device_sequence),
    compartmentId: proof.compartment_id,
    presence: proof.presence,
    handover: proof.handover,
    courierPublicKey: proof.courier_public_key && bytesJson(proof.courier_public_key),
  });
}

/** Converts base64url to the base64 of the protocol's JSON. */
function bytesJson(text: unknown): string {
  return Buffer.from(String(text), "base64url").toString("base64");
}

function receiptJson(claims: Json, jws: string, issuerKeyId: string): Json {
  const { report, countersignature } = claims as { report: Json | null; countersignature: Json | null };
  return withoutUnset({
    number: claims.number,
    previousHash: claims.previous,
    continuedReservationId: claims.continues,
    purpose: `PURPOSE_${claims.purpose}`,
    givenBy: partyJson(claims.given_by),
    receivedBy: partyJson(claims.received_by),
    report:
      report &&
      withoutUnset({
        publicKey: bytesJson(report.public_key),
        signature: bytesJson(report.signature),
        deviceEventId: report.device_event_id,
        act: `ACT_${report.act}`,
        ...(report.previous !== undefined && { previousHash: bytesJson(report.previous) }),
      }),
    countersignature:
      countersignature &&
      withoutUnset({
        number: countersignature.number,
        receiptHash: countersignature.receipt,
        keyId: countersignature.key_id,
        publicKey: bytesJson(countersignature.public_key),
        signature: bytesJson(countersignature.signature),
      }),
    issuerKeyId,
    signature: bytesJson(jws.split(".")[2]),
  });
}
