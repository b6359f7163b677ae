import { create } from "@bufbuild/protobuf";
import { reportHash, verifyReport } from "@petak/credential";
import {
  type DeviceEvent,
  PetakError,
  type ReportEventsRequest,
  type ReportEventsResponse,
  ReportEventsResponseSchema,
  SignedReportSchema,
} from "@petak/protocol";
import type { DeviceReports, ReservationStore } from "@petak/records";
import type { AgentCaller, KeyDirectory } from "../../identity/index.ts";
import type { AllowedAgent } from "./allowed-agent.ts";
import { foreignMembers } from "./foreign-members.ts";
import { type ForkDependencies, keepFork, sequenceFork, tellMissing } from "./forked-reports.ts";
import { type RecordReportDependencies, recordReport, sequenceGap, type VerifiedReport } from "./record-report.ts";

export interface ReportEventsDependencies extends RecordReportDependencies, ForkDependencies {
  keys: Pick<KeyDirectory, "findKey">;
  reservations: Pick<ReservationStore, "find" | "record" | "watermark">;
  deviceReports: Pick<DeviceReports, "skip">;
}

/**
 * Records reports in the order of their numbers and returns the watermark, the number of the last one recorded, after which the agent continues. Reports
 * at or below the watermark change nothing, if they are those that were recorded.
 *
 * @param onFenced answers for the rest, once another agent has taken the place of this one
 * @throws {PetakError} SEQUENCE_GAP if a number is missing; SEQUENCE_FORK if they have forked, once those that belong to the other branch are kept apart; REPORT_SIGNATURE_INVALID, before anything is recorded, if a report was not signed by the
 *   caller's own key, and REPORT_MEMBER_MISPLACED, see {@link foreignMembers}.
 */
export async function reportEvents(
  dependencies: ReportEventsDependencies,
  { events, deletedSequence }: ReportEventsRequest,
  caller: AllowedAgent,
  onFenced: (rest: DeviceEvent[]) => Promise<ReportEventsResponse>,
): Promise<ReportEventsResponse> {
  refuseGaps(events);
  const reports = await verifiedReports(dependencies.keys, caller, events);
  for (const { event } of reports) refuseForeignMembers(event);
  if (deletedSequence > 0n && deletedSequence + 1n === events[0]?.sequence) {
    await skipDeleted(dependencies, Number(deletedSequence), events[0], caller);
  }
  let acknowledged = 0;
  let firstApart: bigint | undefined;
  for (const [index, { event, ...report }] of reports.entries()) {
    const { tag, watermark } = await recordReport(dependencies, { event, ...report }, caller);
    if (tag === "fenced") return await onFenced(events.slice(index));
    acknowledged = watermark;
    if (tag !== "recorded") firstApart ??= event.sequence;
    if (tag === "fork") await keepFork(dependencies, { sequence: event.sequence, hash: report.hash, event, watermark }, caller);
    if (tag === "fork_full") break;
  }
  if (firstApart !== undefined) throw sequenceFork(caller, acknowledged, firstApart);
  return create(ReportEventsResponseSchema, { acknowledgedSequence: BigInt(acknowledged) });
}

/** Continues after reports that the device has deleted, since they were acknowledged, and that the store lacks, since it was reset to an earlier copy. */
async function skipDeleted(dependencies: ReportEventsDependencies, to: number, next: DeviceEvent, caller: AllowedAgent): Promise<void> {
  const { reservations, deviceReports } = dependencies;
  const { sequence: after, hasForked } = await reservations.watermark(caller.siteId, caller.keyId);
  // One that is not chained does not say after which report it comes.
  if (hasForked || to <= after || next.previousHash.length === 0) return;
  // First, so that it is told also if the gateway ends in between.
  await tellMissing(dependencies, { first: after + 1, last: to, isDevice: false }, caller);
  await deviceReports.skip(caller, { after, to, hash: next.previousHash });
}

function refuseForeignMembers(event: DeviceEvent): void {
  const fields = foreignMembers(event);
  if (fields.length === 0) return;
  const message = `report ${event.sequence} is of a hand-over and has ${fields.join(" and ")}, of which a receipt knows nothing; no report of this call was recorded: send it without`;
  throw new PetakError("REPORT_MEMBER_MISPLACED", message, {
    metadata: { sequence: String(event.sequence), fields: fields.join(","), subject: String(event.sequence) },
  });
}

function refuseGaps(events: readonly DeviceEvent[]): void {
  events.forEach((event, index) => {
    const before = events[index - 1];
    if (before !== undefined && event.sequence !== before.sequence + 1n) throw sequenceGap(Number(before.sequence), event.sequence);
    if (event.sequence > BigInt(Number.MAX_SAFE_INTEGER)) throw sequenceGap(0, event.sequence);
  });
}

/** Verifies the signatures of the reports. Throws at the first that the caller's key did not sign. */
export async function verifiedReports(
  keys: Pick<KeyDirectory, "findKey">,
  { keyId, siteId }: AgentCaller,
  events: readonly DeviceEvent[],
): Promise<VerifiedReport[]> {
  const key = await keys.findKey(keyId);
  const verified: VerifiedReport[] = [];
  for (const event of events) {
    const { signature, deviceEventId, act, delegated, bundleId, previousHash } = event;
    if (key === undefined || !(await verifyReport(key, siteId, event))) throw reportSignatureInvalid(keyId, event);
    const signed = create(SignedReportSchema, {
      ...{ publicKey: key.publicKey, signature, deviceEventId, act, delegated, bundleId, previousHash },
    });
    verified.push({ event, signed, hash: await reportHash(keyId, siteId, event) });
  }
  return verified;
}

function reportSignatureInvalid(keyId: string, { sequence }: DeviceEvent): PetakError {
  const message = `the signature of report ${sequence} does not verify with key ${keyId}; no report of this call was recorded`;
  return new PetakError("REPORT_SIGNATURE_INVALID", message, {
    metadata: { sequence: String(sequence), key_id: keyId, subject: String(sequence) },
  });
}
