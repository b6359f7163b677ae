import type { Duration, Timestamp } from "@bufbuild/protobuf/wkt";
import {
  CancellationReason,
  CommandState,
  CommandType,
  ConditionKind,
  CorrectionReason,
  type CountedShift,
  DoubtReason,
  type Event,
  EventType,
  type Handover,
  IntakeReason,
  type MissingReports,
  type Money,
  OverflowFallback,
  ParcelRequirement,
  type Party,
  PartyKind,
  ProofKind,
  type ReportFork,
  ReservationState,
  SiteChangeKind,
  type SiteCondition,
  type SiteIntake,
} from "@petak/protocol";
import { sha256 } from "#platform/sha256";
import { encodeBase64url } from "../bytes/base64url.ts";
import { nameOf } from "./names.ts";

/**
 * All content of an event as canonical JSON; chain statements contain its hash. Times have full precision, not ms as elsewhere, so that no digit can be changed
 * unnoticed. The receipt's part is left out, since the receipt has its own signature, and so is the trace, which its caller chooses and which is no fact of custody.
 */
export function eventText(event: Event): string {
  const { proof, cloudEvent, correction, feeDue, refusals, siteChange, keyChange, enrolmentReuse, secondAgent, command } = event;
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
            ...(proof.presence !== "" && { presence: proof.presence }),
            ...(proof.clerkId !== "" && { clerk_id: proof.clerkId }),
            ...(proof.handover !== "" && { handover: proof.handover }),
            ...(proof.courierPublicKey.length > 0 && { courier_public_key: encodeBase64url(proof.courierPublicKey) }),
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
    fee_due: feeDue === undefined ? null : moneyOf(feeDue),
    overflow_fallback: nameOf(OverflowFallback, event.overflowFallback),
    // Members that came later are there only if set, so that the text of an earlier event stays what was signed.
    ...(refusals && { refusals: { count: refusals.count, first_at: exact(refusals.firstAt), last_at: exact(refusals.lastAt) } }),
    ...(siteChange && {
      site_change: {
        kinds: siteChange.kinds.map((kind) => nameOf(SiteChangeKind, kind)),
        moved_m: siteChange.movedM,
        can_be_kept: siteChange.canBeKept,
        site_revision: siteChange.siteRevision,
        cancelled: siteChange.cancelled,
        ...(siteChange.siteId !== "" && { site_id: siteChange.siteId, number: siteChange.number }),
        ...(siteChange.lacksPlace && { lacks_place: true }),
      },
    }),
    ...(keyChange && { key_change: { key_id: keyChange.keyId, by_key_id: keyChange.byKeyId } }),
    ...(secondAgent && {
      second_agent: {
        key_id: secondAgent.keyId,
        in_charge_key_id: secondAgent.inChargeKeyId,
        ...(secondAgent.currentEpoch > 0 && { held_epoch: secondAgent.heldEpoch, current_epoch: secondAgent.currentEpoch }),
        ...(secondAgent.reportsKeptApart && { reports_kept_apart: true }),
      },
    }),
    ...(enrolmentReuse && {
      enrolment_reuse: {
        enrolment_id: enrolmentReuse.enrolmentId,
        key_id: enrolmentReuse.keyId,
        refused_public_key: encodeBase64url(enrolmentReuse.refusedPublicKey),
      },
    }),
    ...(command && {
      command: {
        command_id: command.commandId,
        type: nameOf(CommandType, command.type),
        state: nameOf(CommandState, command.state),
        compartment_id: command.compartmentId,
        refusal: command.refusal,
        key_id: command.keyId,
        second_key_id: command.secondKeyId,
      },
    }),
    ...(event.issuerRevocation && {
      issuer_revocation: { issuer_key_id: event.issuerRevocation.issuerKeyId, revoked_at: exact(event.issuerRevocation.revokedAt) },
    }),
    ...(event.doubtReason !== DoubtReason.UNSPECIFIED && { doubt_reason: nameOf(DoubtReason, event.doubtReason) }),
    ...(event.reportedType !== EventType.UNSPECIFIED && { reported_type: nameOf(EventType, event.reportedType) }),
    ...(event.reportFork && { report_fork: forkOf(event.reportFork) }),
    ...(event.missingReports && { missing_reports: missingOf(event.missingReports) }),
    ...(event.intake && { intake: intakeOf(event.intake) }),
    ...(event.intakeReason !== IntakeReason.UNSPECIFIED && { intake_reason: nameOf(IntakeReason, event.intakeReason) }),
    ...(event.siteCondition && { site_condition: conditionOf(event.siteCondition) }),
    ...(event.checksDone.length > 0 && { checks_done: event.checksDone.map((check) => nameOf(ParcelRequirement, check)) }),
    ...(event.cashCollected && { cash_collected: moneyOf(event.cashCollected) }),
    ...(event.missingChecks.length > 0 && { missing_checks: event.missingChecks.map((check) => nameOf(ParcelRequirement, check)) }),
    ...(event.handover && { handover: handoverOf(event.handover) }),
    ...(event.countedShift && { counted_shift: shiftOf(event.countedShift) }),
  });
}

/** The concatenated hashes of events, 32 bytes each. */
export async function hashesOf(events: readonly Event[]): Promise<Uint8Array<ArrayBuffer>> {
  const hashes = new Uint8Array(32 * events.length);
  const found = await Promise.all(events.map((event) => sha256(eventText(event))));
  for (const [index, bytes] of found.entries()) hashes.set(bytes, 32 * index);
  return hashes;
}

function forkOf({ keyId, sequence, reportHash, statement, acknowledgedSequence }: ReportFork) {
  return {
    key_id: keyId,
    sequence: String(sequence),
    report_hash: encodeBase64url(reportHash),
    statement,
    acknowledged_sequence: String(acknowledgedSequence),
  };
}

function intakeOf({ paused, pausedUntil, places }: SiteIntake) {
  return {
    paused,
    paused_until: exact(pausedUntil),
    places: places.map(({ sizeClassId, inService }) => ({ size_class_id: sizeClassId, in_service: inService })),
  };
}

function missingOf({ keyId, firstSequence, lastSequence, isDevice }: MissingReports) {
  return { key_id: keyId, first_sequence: String(firstSequence), last_sequence: String(lastSequence), is_device: isDevice };
}

function moneyOf({ currencyCode, units, nanos }: Money) {
  return { currency_code: currencyCode, units: String(units), nanos };
}

function conditionOf({ kind, since, until, count, clockAheadMs, parcels }: SiteCondition) {
  return {
    kind: nameOf(ConditionKind, kind),
    since: exact(since),
    until: exact(until),
    count,
    clock_ahead_ms: String(clockAheadMs),
    parcels,
  };
}

function shiftOf({ beganAt, expected, counted, missing, surplus, cash }: CountedShift) {
  return {
    began_at: exact(beganAt),
    ...{ expected, counted, missing, surplus },
    cash: cash.map(({ currencyCode, expectedUnits, expectedNanos, countedUnits, countedNanos }) => ({
      currency_code: currencyCode,
      expected_units: String(expectedUnits),
      expected_nanos: expectedNanos,
      counted_units: String(countedUnits),
      counted_nanos: countedNanos,
    })),
  };
}

function handoverOf({ listHash, isOutgoing, courierId, signedAt, ok, damaged, refused, signatures, fault }: Handover) {
  return {
    list_hash: listHash,
    is_outgoing: isOutgoing,
    courier_id: courierId,
    signed_at: exact(signedAt),
    ok,
    damaged,
    refused,
    signatures,
    fault,
  };
}

function partyOf(party: Party | undefined) {
  return party === undefined ? null : { kind: nameOf(PartyKind, party.kind), participant_id: party.participantId };
}

function exact(time: Timestamp | Duration | undefined) {
  return time === undefined ? null : { seconds: String(time.seconds), nanos: time.nanos };
}
