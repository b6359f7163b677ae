import type { Duration, Timestamp } from "@bufbuild/protobuf/wkt";
import {
  CancellationReason,
  CorrectionReason,
  type Event,
  EventType,
  OverflowFallback,
  type Party,
  PartyKind,
  ProofKind,
  ReservationState,
} from "@petak/protocol";
import { sha256 } from "#platform/sha256";
import { nameOf } from "./names.ts";

/**
 * All content of an event as canonical JSON; chain statements contain its hash. Times have full precision, not ms as elsewhere, so that no digit can be changed
 * unnoticed. The receipt's part is left out, since the receipt has its own signature.
 */
export function eventText(event: Event): string {
  const { proof, cloudEvent, correction, feeDue } = event;
  return JSON.stringify({
    event_id: event.eventId,
    schema_version: event.schemaVersion,
    type: nameOf(EventType, event.type),
    reservation_id: event.reservationId,
    site_id: event.siteId,
    operator_id: event.operatorId,
    participant_id: event.participantId,
    actor: partyOf(event.actor),
    occurred_at: exact(event.occurredAt),
    recorded_at: exact(event.recordedAt),
    state_before: nameOf(ReservationState, event.stateBefore),
    state_after: nameOf(ReservationState, event.stateAfter),
    proof:
      proof === undefined
        ? null
        : {
            kind: nameOf(ProofKind, proof.kind),
            credential_hash: proof.credentialHash,
            offline: proof.offline,
            agent_key_id: proof.agentKeyId,
            device_sequence: String(proof.deviceSequence),
            compartment_id: proof.compartmentId,
            refusal: proof.refusal,
            parent_credential_hash: proof.parentCredentialHash,
          },
    partner_reference: event.partnerReference,
    is_test: event.isTest,
    reservation_revision: event.reservationRevision,
    cancellation_reason: nameOf(CancellationReason, event.cancellationReason),
    related_reservation_id: event.relatedReservationId,
    feed_number: String(event.feedNumber),
    bundle_id: event.bundleId,
    cloud_event:
      cloudEvent === undefined
        ? null
        : {
            specversion: cloudEvent.specversion,
            id: cloudEvent.id,
            source: cloudEvent.source,
            type: cloudEvent.type,
            subject: cloudEvent.subject,
            time: cloudEvent.time,
            dataschema: cloudEvent.dataschema,
            sequence: cloudEvent.sequence,
          },
    occurred_at_utc_offset: exact(event.occurredAtUtcOffset),
    correction:
      correction === undefined
        ? null
        : {
            event_ids: correction.eventIds,
            reason: nameOf(CorrectionReason, correction.reason),
            occurred_at: exact(correction.occurredAt),
          },
    webhook_endpoint_id: event.webhookEndpointId,
    fee_due: feeDue === undefined ? null : { currency_code: feeDue.currencyCode, units: String(feeDue.units), nanos: feeDue.nanos },
    overflow_fallback: nameOf(OverflowFallback, event.overflowFallback),
  });
}

/** The concatenated hashes of events, 32 bytes each. */
export async function hashesOf(events: readonly Event[]): Promise<Uint8Array<ArrayBuffer>> {
  const hashes = new Uint8Array(32 * events.length);
  const found = await Promise.all(events.map((event) => sha256(eventText(event))));
  for (const [index, bytes] of found.entries()) hashes.set(bytes, 32 * index);
  return hashes;
}

function partyOf(party: Party | undefined) {
  return party === undefined ? null : { kind: nameOf(PartyKind, party.kind), participant_id: party.participantId };
}

function exact(time: Timestamp | Duration | undefined) {
  return time === undefined ? null : { seconds: String(time.seconds), nanos: time.nanos };
}
