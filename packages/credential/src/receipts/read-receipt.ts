import { type Form, type ReadSigned, readSigned, type SignedForm } from "./read-signed.ts";
import { receiptType } from "./receipt.ts";
import { type ReceiptClaims, receiptVersion } from "./receipt-claims.ts";

/** A parsed receipt, not verified yet. */
export type ReadReceipt = ReadSigned<ReceiptClaims>;

/** Parses a receipt, or returns why it is malformed. */
export function readReceipt(jws: string): ReadReceipt | string {
  return readSigned(jws, form);
}

const party: Form = { orNull: true, members: { kind: "text", participant_id: "text" } };

const form: SignedForm<ReceiptClaims> = {
  type: receiptType,
  version: receiptVersion,
  members: {
    version: "count",
    number: "count",
    previous: "text",
    continues: "text",
    act: "text",
    given_by: party,
    received_by: party,
    event_id: "text",
    schema_version: "count",
    occurred_at_ms: "count",
    recorded_at_ms: "count",
    actor: party,
    reservation_id: "text",
    revision: "count",
    state_before: "text",
    state_after: "text",
    purpose: "text",
    site_id: "text",
    operator_id: "text",
    participant_id: "text",
    partner_reference: "text",
    is_test: "flag",
    bundle_id: "text",
    proof: {
      orNull: true,
      members: {
        kind: "text",
        credential_hash: "text",
        parent_credential_hash: "text",
        compartment_id: "text",
        offline: "flag",
        agent_key_id: "text",
        device_sequence: "count",
      },
      optional: { presence: "text", clerk_id: "text", handover: "text", courier_public_key: "text" },
    },
    report: {
      orNull: true,
      members: { act: "text", delegated: "flag", bundle_id: "text", device_event_id: "text", public_key: "text", signature: "text" },
      optional: { previous: "text", checks: "text", cash: "text" },
    },
    countersignature: {
      orNull: true,
      members: { number: "count", receipt: "text", key_id: "text", public_key: "text", signature: "text" },
    },
  },
};
