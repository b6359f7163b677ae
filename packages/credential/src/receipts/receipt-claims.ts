import { timestampMs } from "@bufbuild/protobuf/wkt";
import {
  Act,
  CancellationReason,
  type Event,
  type EventReceipt,
  type Party,
  PartyKind,
  ProofKind,
  Purpose,
  ReservationState,
} from "@petak/protocol";
import { encodeBase64url } from "../bytes/base64url.ts";
import { cashText, checksText } from "./check-texts.ts";
import { handOverOf } from "./hand-overs.ts";
import { nameOf } from "./names.ts";

/** The version of the receipts' layout. */
export const receiptVersion = 1;

interface PartyClaim {
  kind: string;
  participant_id: string;
}

/** Claims of a receipt, in the order of their members. */
export interface ReceiptClaims {
  version: number;
  number: number;
  previous: string;
  continues: string;
  act: string;
  given_by: PartyClaim | null;
  received_by: PartyClaim | null;
  event_id: string;
  schema_version: number;
  occurred_at_ms: number;
  recorded_at_ms: number;
  actor: PartyClaim | null;
  reservation_id: string;
  revision: number;
  state_before: string;
  state_after: string;
  purpose: string;
  site_id: string;
  operator_id: string;
  participant_id: string;
  partner_reference: string;
  is_test: boolean;
  bundle_id: string;
  proof: {
    kind: string;
    credential_hash: string;
    parent_credential_hash: string;
    compartment_id: string;
    offline: boolean;
    agent_key_id: string;
    device_sequence: number;
    /** Present only if the holder of a bound token proved to be there. */
    presence?: string;
    /** Present only if a store's clerk did it. */
    clerk_id?: string;
    /** Present only if a hand-over list proves it. */
    handover?: string;
    /** The courier's key that certified the driver. Present only if the list verifies. */
    courier_public_key?: string;
  } | null;
  report: {
    act: string;
    delegated: boolean;
    bundle_id: string;
    device_event_id: string;
    public_key: string;
    signature: string;
    /** Present only if the report is chained. */
    previous?: string;
    /** Present only if something was checked, or paid. */
    checks?: string;
    cash?: string;
  } | null;
  countersignature: { number: number; receipt: string; key_id: string; public_key: string; signature: string } | null;
}

/** Content of a receipt that its event does not have otherwise, without the signature. */
export type UnsignedReceipt = Omit<EventReceipt, "signature" | "$typeName" | "$unknown">;

/**
 * The claims of an event's receipt: everything that the event says about the hand-over, so that verification can name each difference.
 *
 * @throws {RangeError} if events of this kind have no receipt, or the event has content that receipts do not cover.
 */
export function claimsOf(event: Event, receipt: UnsignedReceipt): ReceiptClaims {
  const handOver = handOverOf(event);
  if (handOver === undefined) throw new RangeError(`the event ${event.eventId} is not of a kind that has a receipt`);
  const { occurredAt, recordedAt, proof } = event;
  if (occurredAt === undefined || recordedAt === undefined) throw new RangeError(`the event ${event.eventId} has no times`);
  const isPlain = event.cancellationReason === CancellationReason.UNSPECIFIED && event.relatedReservationId === "";
  if (!isPlain || (proof?.refusal ?? "") !== "") throw new RangeError(`the event ${event.eventId} has content that no hand-over has`);
  const { report, countersignature } = receipt;
  return {
    version: receiptVersion,
    number: receipt.number,
    previous: receipt.previousHash,
    continues: receipt.continuedReservationId,
    act: handOver.act,
    given_by: partyClaim(receipt.givenBy),
    received_by: partyClaim(receipt.receivedBy),
    event_id: event.eventId,
    schema_version: event.schemaVersion,
    occurred_at_ms: timestampMs(occurredAt),
    recorded_at_ms: timestampMs(recordedAt),
    actor: partyClaim(event.actor),
    reservation_id: event.reservationId,
    revision: event.reservationRevision,
    state_before: nameOf(ReservationState, event.stateBefore),
    state_after: nameOf(ReservationState, event.stateAfter),
    purpose: nameOf(Purpose, receipt.purpose),
    site_id: event.siteId,
    operator_id: event.operatorId,
    participant_id: event.participantId,
    partner_reference: event.partnerReference,
    is_test: event.isTest,
    bundle_id: event.bundleId,
    proof:
      proof === undefined
        ? null
        : {
            kind: nameOf(ProofKind, proof.kind),
            credential_hash: proof.credentialHash,
            parent_credential_hash: proof.parentCredentialHash,
            compartment_id: proof.compartmentId,
            offline: proof.offline,
            agent_key_id: proof.agentKeyId,
            device_sequence: Number(proof.deviceSequence),
            ...(proof.presence !== "" && { presence: proof.presence }),
            ...(proof.clerkId !== "" && { clerk_id: proof.clerkId }),
            ...(proof.handover !== "" && { handover: proof.handover }),
            ...(proof.courierPublicKey.length > 0 && { courier_public_key: encodeBase64url(proof.courierPublicKey) }),
          },
    report:
      report === undefined
        ? null
        : {
            act: nameOf(Act, report.act),
            delegated: report.delegated,
            bundle_id: report.bundleId,
            device_event_id: report.deviceEventId,
            public_key: encodeBase64url(report.publicKey),
            signature: encodeBase64url(report.signature),
            ...(report.previousHash.length > 0 && { previous: encodeBase64url(report.previousHash) }),
            ...(event.checksDone.length > 0 && { checks: checksText(event.checksDone) }),
            ...(event.cashCollected && { cash: cashText(event.cashCollected) }),
          },
    countersignature:
      countersignature === undefined
        ? null
        : {
            number: countersignature.number,
            receipt: countersignature.receiptHash,
            key_id: countersignature.keyId,
            public_key: encodeBase64url(countersignature.publicKey),
            signature: encodeBase64url(countersignature.signature),
          },
  };
}

function partyClaim(party: Party | undefined): PartyClaim | null {
  return party === undefined ? null : { kind: nameOf(PartyKind, party.kind), participant_id: party.participantId };
}
