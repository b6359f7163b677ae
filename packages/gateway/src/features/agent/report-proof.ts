import { timestampMs } from "@bufbuild/protobuf/wkt";
import { verifyHolderPresence } from "@petak/credential";
import { actToProve } from "@petak/lifecycle";
import { Act, type Bundle, type DeviceEvent, DoubtReason, ProofKind, type Reservation } from "@petak/protocol";
import type { BundleStore, IssuedCredentials } from "@petak/records";

export interface ReportProofDependencies {
  bundles: Pick<BundleStore, "find">;
  issuedCredentials: Pick<IssuedCredentials, "wasIssued" | "hasLeftBundle" | "completeSinceMs">;
}

/** What is recorded of the credential that a report names. */
export interface ReportProof {
  /** Whether it was issued for the act: for the reservation or, if it names a bundle, for the bundle. */
  wasIssued: boolean;
  /** The bundle that it names, if there is one. */
  bundle: Bundle | undefined;
  /** Whether the reservation has left that bundle. */
  hasLeftBundle: boolean;
  completeSinceMs: number;
}

/** Reads what is recorded of a report's credential, at once. */
export async function readReportProof({ bundles, issuedCredentials }: ReportProofDependencies, event: DeviceEvent): Promise<ReportProof> {
  const { bundleId, reservationId, credentialHash, proofKind } = event;
  const act = actToProve(event);
  const kind = proofKind === ProofKind.PIN && act === Act.COLLECT ? "PIN" : act;
  const isBound = proofKind === ProofKind.BOUND_ACCESS_TOKEN;
  const [wasIssued, bundle, hasLeftBundle, completeSinceMs] = await Promise.all([
    kind !== undefined && issuedCredentials.wasIssued(bundleId || reservationId, { kind, isBound, credentialHash }),
    bundleId === "" || (kind === undefined && !event.delegated) ? undefined : bundles.find(bundleId),
    kind !== undefined && bundleId !== "" && issuedCredentials.hasLeftBundle(reservationId, bundleId),
    kind === undefined ? 0 : issuedCredentials.completeSinceMs(),
  ]);
  return { wasIssued, bundle, hasLeftBundle, completeSinceMs };
}

/**
 * Why the credential that a report names does not prove what it reports; undefined: it does. It must have been issued for the reservation, or for a bundle to which
 * that belongs or belonged, and the holder of a token that is bound to a key must have been there. Where credentials were not recorded yet when the reservation or
 * bundle was made, any one may have been issued.
 */
export async function whyUnproven(event: DeviceEvent, reservation: Reservation, proof: ReportProof): Promise<DoubtReason | undefined> {
  const act = actToProve(event);
  if (act === undefined) return undefined;
  const { wasIssued, bundle, hasLeftBundle, completeSinceMs } = proof;
  const record = event.bundleId === "" ? reservation : bundle;
  if (record?.siteId === reservation.siteId && createdMs(record) < completeSinceMs) return undefined;
  const isMember = event.bundleId === "" || reservation.bundleId === event.bundleId || hasLeftBundle;
  if (!isMember || !wasIssued) return DoubtReason.CREDENTIAL_NOT_ISSUED;
  return (await isHolderProven(event, act, reservation)) ? undefined : DoubtReason.PRESENCE_NOT_PROVEN;
}

/** Whether the holder of the token's key was there, where the report says so or must say so. */
async function isHolderProven(event: DeviceEvent, act: Act, { siteId, reservationId }: Reservation): Promise<boolean> {
  const { proofKind, presence, credentialHash, delegated, compartmentId } = event;
  const isBound = proofKind === ProofKind.BOUND_ACCESS_TOKEN;
  if (!isBound) return presence === "" && act !== Act.RECALL;
  // Whoever verifies the receipt goes by the act that the report names.
  if (event.act !== act) return false;
  return await verifyHolderPresence(presence, { siteId, reservationId, act, delegated, credentialHash, compartmentId });
}

/** The hash of the credential from which a report's was delegated. Empty: it was not, or that is not recorded. */
export function parentHashOf(event: DeviceEvent, reservation: Reservation, { bundle }: ReportProof): string {
  if (!event.delegated) return "";
  const record = bundle?.siteId === reservation.siteId ? bundle : reservation;
  return record.delegations.find((one) => one.credentialHash === event.credentialHash)?.parentCredentialHash ?? "";
}

function createdMs({ createdAt }: Reservation | Bundle): number {
  return createdAt === undefined ? 0 : timestampMs(createdAt);
}
