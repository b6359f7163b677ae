/** Statements of the vectors' chains. Uses the protocol's JSON and node:crypto only, like the receipts' scene. */

import { base64url, sha256, type VectorKey } from "../signing.ts";
import { type Chain, type Json, jwsOf, secondKey, startMs } from "./chain-scene.ts";

/** The time of the statements: after all events. */
export const asOfMs = startMs + 24 * 3_600_000;

/** Changes of a statement. */
export interface StatementOptions {
  /** Changes the claims before they are signed. */
  claims?: (claims: Json) => void;
  issuer?: VectorKey;
  kid?: string;
  typ?: string;
  atMs?: number;
  /** Number of events before the listed ones. */
  earlier?: number;
}

/** Adds a statement to a chain. */
export function stated(chain: Chain, options: StatementOptions = {}): Chain {
  const { issuer = secondKey, kid, typ = "petak-chain", atMs = asOfMs, earlier = 0 } = options;
  const hashes = Buffer.concat(chain.events.map((event) => sha256(eventText(event))));
  const { reservationId, state, revision, chain: head } = chain.reservation;
  const claims: Json = {
    version: 1,
    as_of_ms: atMs,
    reservation_id: reservationId,
    state: nameOf(state, "RESERVATION_STATE_"),
    revision,
    receipts: head?.length ?? 0,
    last_receipt: head?.lastHash ?? "",
    events: earlier + chain.events.length,
    first_event: earlier + 1,
    events_hash: base64url(sha256(hashes)),
  };
  options.claims?.(claims);
  return { ...chain, statement: { jws: jwsOf(typ, issuer, claims, kid), eventHashes: hashes.toString("base64") } };
}

/** The text of an event whose hash is in the statement. */
function eventText(event: Json): string {
  const text = (from: Json, name: string) => String(from[name] ?? "");
  const part = (from: Json, name: string, of: (member: Json) => Json) => (from[name] === undefined ? null : of(from[name] as Json));
  return JSON.stringify({
    event_id: text(event, "eventId"),
    schema_version: event.schemaVersion,
    type: nameOf(event.type, "EVENT_TYPE_"),
    reservation_id: text(event, "reservationId"),
    site_id: text(event, "siteId"),
    operator_id: text(event, "operatorId"),
    participant_id: text(event, "participantId"),
    actor: part(event, "actor", (party) => ({
      kind: nameOf(party.kind, "PARTY_KIND_"),
      participant_id: text(party, "participantId"),
    })),
    occurred_at: timeOf(event.occurredAt),
    recorded_at: timeOf(event.recordedAt),
    state_before: nameOf(event.stateBefore, "RESERVATION_STATE_"),
    state_after: nameOf(event.stateAfter, "RESERVATION_STATE_"),
    proof: part(event, "proof", (proof) => ({
      kind: nameOf(proof.kind, "PROOF_KIND_"),
      credential_hash: text(proof, "credentialHash"),
      offline: proof.offline ?? false,
      agent_key_id: text(proof, "agentKeyId"),
      device_sequence: String(proof.deviceSequence ?? 0),
      compartment_id: text(proof, "compartmentId"),
      refusal: text(proof, "refusal"),
      parent_credential_hash: text(proof, "parentCredentialHash"),
      ...(proof.presence !== undefined && { presence: proof.presence }),
      ...(proof.handover !== undefined && { handover: proof.handover }),
      ...(proof.courierPublicKey !== undefined && {
        courier_public_key: Buffer.from(String(proof.courierPublicKey), "base64").toString("base64url"),
      }),
    })),
    partner_reference: text(event, "partnerReference"),
    is_test: event.isTest ?? false,
    reservation_revision: event.reservationRevision ?? 0,
    cancellation_reason: nameOf(event.cancellationReason, "CANCELLATION_REASON_"),
    related_reservation_id: text(event, "relatedReservationId"),
    feed_number: String(event.feedNumber ?? 0),
    bundle_id: text(event, "bundleId"),
    cloud_event: part(event, "cloudEvent", (attributes) =>
      Object.fromEntries(
        ["specversion", "id", "source", "type", "subject", "time", "dataschema", "sequence"].map((name) => [name, text(attributes, name)]),
      ),
    ),
    occurred_at_utc_offset: durationOf(event.occurredAtUtcOffset),
    correction: part(event, "correction", (correction) => ({
      event_ids: correction.eventIds ?? [],
      reason: nameOf(correction.reason, "CORRECTION_REASON_"),
      occurred_at: timeOf(correction.occurredAt),
    })),
    webhook_endpoint_id: text(event, "webhookEndpointId"),
    fee_due: part(event, "feeDue", moneyOf),
    overflow_fallback: nameOf(event.overflowFallback, "OVERFLOW_FALLBACK_"),
    // Members that came later are there only if they are set.
    ...(event.refusals !== undefined && {
      refusals: part(event, "refusals", ({ count, firstAt, lastAt }) => ({ count, first_at: timeOf(firstAt), last_at: timeOf(lastAt) })),
    }),
    ...(event.doubtReason !== undefined && { doubt_reason: nameOf(event.doubtReason, "DOUBT_REASON_") }),
    ...(event.reportedType !== undefined && { reported_type: nameOf(event.reportedType, "EVENT_TYPE_") }),
    ...(event.checksDone !== undefined && { checks_done: requirementsOf(event.checksDone) }),
    ...(event.cashCollected !== undefined && { cash_collected: part(event, "cashCollected", moneyOf) }),
    ...(event.missingChecks !== undefined && { missing_checks: requirementsOf(event.missingChecks) }),
  });
}

function moneyOf({ currencyCode, units = 0, nanos = 0 }: Json): Json {
  return { currency_code: String(currencyCode ?? ""), units: String(units), nanos };
}

function requirementsOf(values: unknown): string[] {
  return (values as string[]).map((value) => nameOf(value, "PARCEL_REQUIREMENT_"));
}

function nameOf(value: unknown, prefix: string): string {
  return value === undefined ? "UNSPECIFIED" : String(value).replace(prefix, "");
}

function timeOf(value: unknown): Json | null {
  if (value === undefined) return null;
  const [whole = "", fraction = ""] = String(value).replace("Z", "").split(".");
  return { seconds: String(Date.parse(`${whole}Z`) / 1000), nanos: Number(fraction.padEnd(9, "0")) };
}

function durationOf(value: unknown): Json | null {
  if (value === undefined) return null;
  const [whole = "", fraction = ""] = String(value).replace("s", "").split(".");
  const nanos = Number(fraction.padEnd(9, "0"));
  return { seconds: String(Number(whole)), nanos: whole.startsWith("-") && nanos > 0 ? -nanos : nanos };
}
