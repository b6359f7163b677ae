import { create } from "@bufbuild/protobuf";
import { verifyReport } from "@petak/credential";
import {
  type DeviceEvent,
  PetakError,
  type ReportEventsRequest,
  type ReportEventsResponse,
  ReportEventsResponseSchema,
  type SignedReport,
  SignedReportSchema,
} from "@petak/protocol";
import type { AgentCaller, KeyDirectory } from "../../identity/index.ts";
import { type RecordReportDependencies, recordReport, sequenceGap } from "./record-report.ts";

export interface ReportEventsDependencies extends RecordReportDependencies {
  keys: Pick<KeyDirectory, "findKey">;
}

/**
 * Records reports in the order of their numbers and returns the watermark, the number of the last one recorded, after which the agent continues. Reports
 * at or below the watermark change nothing.
 *
 * @throws {PetakError} SEQUENCE_GAP if a number is missing; REPORT_SIGNATURE_INVALID, before anything is recorded, if a report was not signed by the
 *   caller's own key.
 */
export async function reportEvents(
  dependencies: ReportEventsDependencies,
  { events }: ReportEventsRequest,
  caller: AgentCaller,
): Promise<ReportEventsResponse> {
  refuseGaps(events);
  const signed = await signedReports(dependencies.keys, caller, events);
  let acknowledged = 0;
  for (const [index, event] of events.entries()) {
    acknowledged = await recordReport(dependencies, { event, signed: signed[index] as SignedReport }, caller);
  }
  return create(ReportEventsResponseSchema, { acknowledgedSequence: BigInt(acknowledged) });
}

function refuseGaps(events: readonly DeviceEvent[]): void {
  events.forEach((event, index) => {
    const before = events[index - 1];
    if (before !== undefined && event.sequence !== before.sequence + 1n) throw sequenceGap(Number(before.sequence), event.sequence);
    if (event.sequence > BigInt(Number.MAX_SAFE_INTEGER)) throw sequenceGap(0, event.sequence);
  });
}

/** Verifies the signatures of the reports. Throws at the first that the caller's key did not sign. */
async function signedReports(
  keys: Pick<KeyDirectory, "findKey">,
  { keyId, siteId }: AgentCaller,
  events: readonly DeviceEvent[],
): Promise<SignedReport[]> {
  const key = await keys.findKey(keyId);
  const signed: SignedReport[] = [];
  for (const event of events) {
    const { signature, deviceEventId, act, delegated, bundleId } = event;
    if (key === undefined || !(await verifyReport(key, siteId, event))) throw reportSignatureInvalid(keyId, event);
    signed.push(create(SignedReportSchema, { publicKey: key.publicKey, signature, deviceEventId, act, delegated, bundleId }));
  }
  return signed;
}

function reportSignatureInvalid(keyId: string, { sequence }: DeviceEvent): PetakError {
  const message = `the signature of report ${sequence} does not verify with key ${keyId}; no report of this call was recorded`;
  return new PetakError("REPORT_SIGNATURE_INVALID", message, {
    metadata: { sequence: String(sequence), key_id: keyId, subject: String(sequence) },
  });
}
