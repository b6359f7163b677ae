import { applyReport, deviceEvent } from "@petak/lifecycle";
import { type DeviceEvent, PetakError, parseSiteId, type Reservation, type SignedReport } from "@petak/protocol";
import {
  type BundleStore,
  type FiledSite,
  type ReservationStore,
  type SiteStore,
  siteNotFound,
  type TermsBook,
  type TransitionOutcome,
} from "@petak/records";
import type { AgentCaller } from "../../identity/index.ts";
import { changedTooOften, type ReservationChanges } from "../idempotency/change-reservation.ts";
import { retryOnConflict } from "../idempotency/retry-on-conflict.ts";

export interface RecordReportDependencies {
  sites: Pick<SiteStore, "filed">;
  changes: Pick<ReservationChanges, "apply">;
  reservations: Pick<ReservationStore, "find" | "record">;
  bundles: Pick<BundleStore, "find">;
  termsBook: Pick<TermsBook, "of">;
  now: () => number;
}

/** A report of an agent with its verified signature. */
export interface VerifiedReport {
  event: DeviceEvent;
  signed: SignedReport;
}

/**
 * Records one report with the transition that it causes. Returns the watermark: the number of the last recorded report.
 *
 * @throws {PetakError} SEQUENCE_GAP if the report does not follow the watermark; CONFLICT if its reservation was changed concurrently too often.
 */
export async function recordReport(dependencies: RecordReportDependencies, report: VerifiedReport, caller: AgentCaller): Promise<number> {
  const { sequence, reservationId } = report.event;
  return await retryOnConflict(
    async () => {
      const outcome = await tryReport(dependencies, report, caller);
      if (outcome.tag === "done") return Number(sequence);
      if (outcome.tag === "seen") return outcome.watermark;
      if (outcome.tag === "gap") throw sequenceGap(outcome.watermark, sequence);
      return undefined;
    },
    { conflict: () => changedTooOften(reservationId, "reports") },
  );
}

async function tryReport(
  dependencies: RecordReportDependencies,
  { event, signed }: VerifiedReport,
  caller: AgentCaller,
): Promise<TransitionOutcome> {
  const { changes, reservations, termsBook, now } = dependencies;
  const { siteId, keyId } = caller;
  const report = { siteId, keyId, sequence: Number(event.sequence) };
  const [site, reservation] = await Promise.all([
    filedSite(dependencies, siteId),
    reservationAt(dependencies, siteId, event.reservationId),
  ]);
  if (reservation === undefined) {
    return await reservations.record(parseSiteId(siteId)?.region ?? "", report, deviceEvent(event, caller, site.site, now()));
  }
  const terms = await termsBook.of(reservation);
  const parentCredentialHash = event.delegated ? await parentHashOf(dependencies, event, reservation) : "";
  const transition = applyReport(reservation, { event, terms, agent: caller, parentCredentialHash }, now());
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

/** The hash of the credential from which a delegation was made. Empty if it is not recorded. */
async function parentHashOf(
  { bundles }: Pick<RecordReportDependencies, "bundles">,
  { bundleId, credentialHash }: DeviceEvent,
  reservation: Reservation,
): Promise<string> {
  const bundle = bundleId === "" ? undefined : await bundles.find(bundleId);
  const { delegations } = bundle?.siteId === reservation.siteId ? bundle : reservation;
  return delegations.find((one) => one.credentialHash === credentialHash)?.parentCredentialHash ?? "";
}

/** The error for a report whose number does not follow the watermark. */
export function sequenceGap(watermark: number, sequence: bigint): PetakError {
  return new PetakError("SEQUENCE_GAP", `report ${sequence} was sent, but the next report must be ${watermark + 1}`, {
    metadata: { expected: String(watermark + 1), received: String(sequence), subject: String(sequence) },
  });
}
