import { type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import { Act, CommandOutcome, type CountedShift, type DeviceEvent, DeviceEventType, IntakeReason, ProofKind } from "@petak/protocol";
import { sha256 } from "#platform/sha256";
import { encodeBase64url } from "../bytes/base64url.ts";
import type { Bytes } from "../bytes/bytes.ts";
import { framed } from "../bytes/digest.ts";
import { compactText } from "../jws/sign-compact.ts";
import { verifyText } from "../keys/verify-text.ts";
import { tokenAlgorithm } from "../request-token/request-token.ts";
import { amountText, cashText, checksText } from "./check-texts.ts";
import { nameOf } from "./names.ts";

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
  /** Present only if the report stands for several refusals. */
  refusals?: { count: number; first_at_ms: number; last_at_ms: number };
  /** Present only if the holder of a bound token proved to be there. */
  presence?: string;
  /** The hash of the report before it, in base64url. Present only if the report is chained. */
  previous?: string;
  /** Present only if the report is about a command. */
  command?: { id: string; outcome: string; log_lines: string[] };
  /** Present only if the report is about what the site takes in. `paused_until_ms` is 0 without an end. */
  intake?: { paused: boolean; paused_until_ms: number; places: { size_class_id: string; in_service: number }[]; reason: string };
  /** Present only if the report is about the device itself. The kind is a number, so that also one that the reader does not know can be verified. Times that are unset are 0. */
  condition?: { kind: number; since_ms: number; until_ms: number; count: number; clock_ahead_ms: number; parcels: number };
  /** Present only if a clerk has ended a shift. `cash`: of each currency what should be in the till, and what was counted. */
  counted_shift?: { began_at_ms: number; expected: number; counted: number; missing: number; surplus: number; cash: string[] };
  /** Present only if something was checked, or paid. */
  checks?: string;
  cash?: string;
  /** Present only if a store's clerk did it. */
  clerk_id?: string;
  /** Present only if the report is about a hand-over list or by one. */
  handover?: string;
}

/** The text that an agent signs: header and claims of a compact JWS. @param keyId the agent's registered key */
export function reportText(keyId: string, claims: ReportClaims): string {
  return compactText({ alg: tokenAlgorithm, typ: reportType, kid: keyId }, claims);
}

/** The claims of a report. The time is truncated to whole ms. */
export function reportClaims(siteId: string, event: DeviceEvent): ReportClaims {
  const { refusals, condition } = event;
  const isCollected = event.type === DeviceEventType.PARCEL_COLLECTED;
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
    ...(refusals && { refusals: { count: refusals.count, first_at_ms: millis(refusals.firstAt), last_at_ms: millis(refusals.lastAt) } }),
    ...(event.presence !== "" && { presence: event.presence }),
    ...(event.previousHash.length > 0 && { previous: encodeBase64url(event.previousHash) }),
    ...(event.commandId !== "" && {
      command: { id: event.commandId, outcome: nameOf(CommandOutcome, event.commandOutcome), log_lines: event.commandLogLines },
    }),
    ...(event.type === DeviceEventType.SERVICE_CHANGED && { intake: intakeClaims(event) }),
    ...(condition && {
      condition: {
        kind: condition.kind,
        since_ms: millis(condition.since),
        until_ms: millis(condition.until),
        count: condition.count,
        clock_ahead_ms: Number(condition.clockAheadMs),
        parcels: condition.parcels,
      },
    }),
    ...(event.type === DeviceEventType.SHIFT_COUNTED && event.countedShift && { counted_shift: shiftClaims(event.countedShift) }),
    // Of other types they are ignored, and so no part of the receipt, by which the signature is verified.
    ...(isCollected && event.checksDone.length > 0 && { checks: checksText(event.checksDone) }),
    ...(isCollected && event.cashCollected && { cash: cashText(event.cashCollected) }),
    ...(event.clerkId !== "" && { clerk_id: event.clerkId }),
    ...(event.handover !== "" && { handover: event.handover }),
  };
}

function shiftClaims({ beganAt, expected, counted, missing, surplus, cash }: CountedShift): NonNullable<ReportClaims["counted_shift"]> {
  const texts = cash.map(({ currencyCode, expectedUnits, expectedNanos, countedUnits, countedNanos }) => {
    const [should, is] = [amountText(expectedUnits, expectedNanos), amountText(countedUnits, countedNanos)];
    return `${currencyCode} ${should} ${is}`;
  });
  return { began_at_ms: millis(beganAt), expected, counted, missing, surplus, cash: texts };
}

function intakeClaims({ intake, intakeReason }: DeviceEvent): NonNullable<ReportClaims["intake"]> {
  return {
    paused: intake?.paused ?? false,
    paused_until_ms: millis(intake?.pausedUntil),
    places: (intake?.places ?? []).map(({ sizeClassId, inService }) => ({ size_class_id: sizeClassId, in_service: inService })),
    reason: nameOf(IntakeReason, intakeReason),
  };
}

/** What the first report of a key names as the hash of the one before it. */
export const reportChainStart: Uint8Array = new Uint8Array(32);

/** The bytes whose SHA-256 is the hash of a report. @param text what its agent signed, see {@link reportText} */
export function reportHashInput(text: string): Bytes {
  return framed("petak-report-hash", text);
}

/** The hash of a report, by which the next one of the same key names it: 32 bytes. */
export async function reportHash(keyId: string, siteId: string, event: DeviceEvent): Promise<Uint8Array> {
  return await sha256(reportHashInput(reportText(keyId, reportClaims(siteId, event))));
}

/** A report as its agent signed it: a compact JWS. */
export function reportJws(keyId: string, siteId: string, event: DeviceEvent): string {
  return `${reportText(keyId, reportClaims(siteId, event))}.${encodeBase64url(event.signature)}`;
}

/** Whether a report carries a valid signature of a key. */
export function verifyReport(key: { keyId: string; publicKey: Uint8Array }, siteId: string, event: DeviceEvent): Promise<boolean> {
  return verifyText(key.publicKey, event.signature, reportText(key.keyId, reportClaims(siteId, event)));
}

function millis(timestamp: Timestamp | undefined): number {
  return timestamp === undefined ? 0 : timestampMs(timestamp);
}
