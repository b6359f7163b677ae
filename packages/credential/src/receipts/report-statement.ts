import { type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import { Act, type DeviceEvent, DeviceEventType, ProofKind } from "@petak/protocol";
import { compactText } from "../jws/sign-compact.ts";
import { tokenAlgorithm } from "../request-token/request-token.ts";
import { nameOf } from "./names.ts";
import { verifyText } from "./signed-text.ts";

/** The `typ` of a report's statement. */
export const reportType = "petak-report";

/** Claims that an agent signs for a report, in the order of their members. */
export interface ReportClaims {
  version: 1;
  site_id: string;
  sequence: number;
  device_event_id: string;
  type: string;
  occurred_at_ms: number;
  offline: boolean;
  reservation_id: string;
  compartment_id: string;
  proof_kind: string;
  credential_hash: string;
  refusal: string;
  act: string;
  delegated: boolean;
  bundle_id: string;
}

/** The text that an agent signs: header and claims of a compact JWS. @param keyId the agent's registered key */
export function reportText(keyId: string, claims: ReportClaims): string {
  return compactText({ alg: tokenAlgorithm, typ: reportType, kid: keyId }, claims);
}

/** The claims of a report. The time is truncated to whole ms. */
export function reportClaims(siteId: string, event: DeviceEvent): ReportClaims {
  return {
    version: 1,
    site_id: siteId,
    sequence: Number(event.sequence),
    device_event_id: event.deviceEventId,
    type: nameOf(DeviceEventType, event.type),
    occurred_at_ms: millis(event.occurredAt),
    offline: event.offline,
    reservation_id: event.reservationId,
    compartment_id: event.compartmentId,
    proof_kind: nameOf(ProofKind, event.proofKind),
    credential_hash: event.credentialHash,
    refusal: event.refusal,
    act: nameOf(Act, event.act),
    delegated: event.delegated,
    bundle_id: event.bundleId,
  };
}

/** Whether a report carries a valid signature of a key. */
export function verifyReport(key: { keyId: string; publicKey: Uint8Array }, siteId: string, event: DeviceEvent): Promise<boolean> {
  return verifyText(key.publicKey, event.signature, reportText(key.keyId, reportClaims(siteId, event)));
}

function millis(timestamp: Timestamp | undefined): number {
  return timestamp === undefined ? 0 : timestampMs(timestamp);
}
