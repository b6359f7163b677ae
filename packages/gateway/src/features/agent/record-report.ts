import { applyReport, deviceEvent, handoverEvent } from "@petak/lifecycle";
import {
  type DeviceEvent,
  DeviceEventType,
  PetakError,
  ProofKind,
  parseSiteId,
  type Reservation,
  type SignedReport,
} from "@petak/protocol";
import {
  type FiledSite,
  type ReservationStore,
  type SiteStore,
  siteNotFound,
  type TermsBook,
  type TransitionOutcome,
} from "@petak/records";
import { type EndCommandDependencies, endCommand } from "../command/end-command.ts";
import { changedTooOften, type ReservationChanges } from "../idempotency/change-reservation.ts";
import { retryOnConflict } from "../idempotency/retry-on-conflict.ts";
import type { AllowedAgent } from "./allowed-agent.ts";
import { type CountRefusalsDependencies, countRefusal } from "./count-refusals.ts";
import { type HandoverDependencies, handoverOf, provenCourierKey, whyNotHandedOver } from "./handovers.ts";
import { parentHashOf, type ReportProofDependencies, readReportProof, whyUnproven } from "./report-proof.ts";
import { type SetIntakeDependencies, setIntake } from "./set-intake.ts";

export interface RecordReportDependencies
  extends CountRefusalsDependencies,
    ReportProofDependencies,
    EndCommandDependencies,
    HandoverDependencies,
    Pick<SetIntakeDependencies, "logger"> {
  sites: Pick<SiteStore, "filed" | "setIntake">;
  changes: Pick<ReservationChanges, "apply">;
  reservations: Pick<ReservationStore, "find" | "record">;
  termsBook: Pick<TermsBook, "of">;
}

/** A report of an agent with its verified signature. */
export interface VerifiedReport {
  event: DeviceEvent;
  signed: SignedReport;
  /** The report's hash: 32 bytes. */
  hash: Uint8Array;
}

/**
 * What became of a report. `fork`: it is not recorded, since the device's reports have forked; `fork_full`: nor is it to be kept apart.
 * `fenced`: another agent has taken the place of this one meanwhile. */
export interface RecordedReport {
  tag: "recorded" | "fenced" | "fork" | "fork_full";
  /** The number of the last recorded report. */
  watermark: number;
}

/**
 * Records one report with the transition that it causes.
 *
 * @throws {PetakError} SEQUENCE_GAP if the report does not follow the watermark; REPORT_UNCHAINED; CONFLICT if its reservation was changed concurrently too often.
 */
export async function recordReport(
  dependencies: RecordReportDependencies,
  report: VerifiedReport,
  caller: AllowedAgent,
): Promise<RecordedReport> {
  const { sequence, reservationId } = report.event;
  return await retryOnConflict(
    async (): Promise<RecordedReport | undefined> => {
      const outcome = await tryReport(dependencies, report, caller);
      if (outcome.tag === "done") return { tag: "recorded", watermark: Number(sequence) };
      if (outcome.tag === "seen") return { tag: "recorded", watermark: outcome.watermark };
      if (outcome.tag === "fenced" || outcome.tag === "fork" || outcome.tag === "fork_full") return outcome;
      if (outcome.tag === "gap") throw sequenceGap(outcome.watermark, sequence);
      if (outcome.tag === "unchained") throw unchained(sequence);
      return undefined;
    },
    { conflict: () => changedTooOften(reservationId, "reports") },
  );
}

async function tryReport(
  dependencies: RecordReportDependencies,
  { event, signed, hash }: VerifiedReport,
  caller: AllowedAgent,
): Promise<TransitionOutcome> {
  const { changes, reservations, termsBook, now } = dependencies;
  const { siteId, keyId, fence } = caller;
  const report = { siteId, keyId, fence, sequence: Number(event.sequence), hash, previousHash: event.previousHash };
  const [site, reservation, proof] = await Promise.all([
    filedSite(dependencies, siteId),
    // What is wrong with a device, and what a clerk counted, is nothing of a parcel's, whatever the report names.
    event.type === DeviceEventType.CONDITION || event.type === DeviceEventType.SHIFT_COUNTED
      ? undefined
      : reservationAt(dependencies, siteId, event.reservationId),
    readReportProof(dependencies, event),
  ]);
  if (event.type === DeviceEventType.DOOR_REFUSED || event.type === DeviceEventType.CONDITION) {
    const outcome = await countRefusal(dependencies, event, report, caller, site.site);
    if (outcome.tag !== "record") return outcome;
  }
  // First, so that no report is acknowledged whose outcome is lost.
  if (event.type === DeviceEventType.COMMAND_ENDED) await endCommand(dependencies, event, caller);
  if (event.type === DeviceEventType.HANDOVER_SIGNED) {
    const handover = await handoverOf(dependencies, event, signed, caller);
    return await reservations.record(parseSiteId(siteId)?.region ?? "", report, handoverEvent(event, handover, caller, site.site, now()));
  }
  const isOfSite = event.type === DeviceEventType.SERVICE_CHANGED;
  if (isOfSite) await setIntake(dependencies, event, caller);
  if (reservation === undefined || isOfSite) {
    return await reservations.record(parseSiteId(siteId)?.region ?? "", report, deviceEvent(event, caller, site.site, now()));
  }
  const terms = await termsBook.of(reservation);
  const courierPublicKey = await provenCourierKey(dependencies, event, reservation, signed, caller);
  const unproven =
    event.proofKind === ProofKind.HANDOVER_LIST ? whyNotHandedOver(event, courierPublicKey) : await whyUnproven(event, reservation, proof);
  const facts = { event, terms, agent: caller, unproven, courierPublicKey };
  const transition = applyReport(reservation, { ...facts, parentCredentialHash: parentHashOf(event, reservation, proof) }, now());
  return await changes.apply({ ...transition, site, report }, { report: signed });
}

async function filedSite({ sites }: Pick<RecordReportDependencies, "sites">, siteId: string): Promise<FiledSite> {
  const filed = await sites.filed(siteId);
  if (filed === undefined) throw siteNotFound(siteId);
  return filed;
}

/** Finds a reservation at the site. A report about any other reservation is recorded without it. */
async function reservationAt(
  { reservations }: Pick<RecordReportDependencies, "reservations">,
  siteId: string,
  reservationId: string,
): Promise<Reservation | undefined> {
  const reservation = await reservations.find(reservationId);
  return reservation?.siteId === siteId ? reservation : undefined;
}

/** The error for a report whose number does not follow the watermark. */
export function sequenceGap(watermark: number, sequence: bigint): PetakError {
  return new PetakError("SEQUENCE_GAP", `report ${sequence} was sent, but the next report must be ${watermark + 1}`, {
    metadata: { expected: String(watermark + 1), received: String(sequence), subject: String(sequence) },
  });
}

function unchained(sequence: bigint): PetakError {
  return new PetakError(
    "REPORT_UNCHAINED",
    `report ${sequence} names no hash of the report before it, and earlier reports of the key did: start the release of the agent that made those, or a later one`,
    { metadata: { subject: String(sequence) } },
  );
}
