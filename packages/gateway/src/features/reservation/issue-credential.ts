import { create } from "@bufbuild/protobuf";
import { credentialIssued, participantParty, refuseAct, refuseOutOfService, revokedHashes } from "@petak/lifecycle";
import {
  Act,
  type IssueCredentialRequest,
  IssueCredentialRequestSchema,
  type IssueCredentialResponse,
  IssueCredentialResponseSchema,
  type Reservation,
  Role,
  type Site,
} from "@petak/protocol";
import { type ParticipantCaller, requireRole } from "../../identity/index.ts";
import type { CredentialSubject, CredentialTerms } from "./credential-issuer.ts";
import type { ReservationDependencies } from "./dependencies.ts";
import { checkIssueRequest } from "./issue-request.ts";
import { type IssueServiceCredentialDependencies, issueServiceCredential } from "./issue-service-credential.ts";
import { openingTerms } from "./opening-terms.ts";
import { recordIssued } from "./record-issued.ts";

export type IssueCredentialDependencies = IssueServiceCredentialDependencies &
  Pick<ReservationDependencies, "changes" | "issuedCredentials" | "termsBook">;

/** Issues an access token and, if requested, a PIN for one act: for a reservation, or SERVICE for a site's operator. */
export async function issueCredential(
  dependencies: IssueCredentialDependencies,
  request: IssueCredentialRequest,
  caller: ParticipantCaller,
): Promise<IssueCredentialResponse> {
  checkIssueRequest(request);
  if (request.act === Act.SERVICE) return await issueServiceCredential(dependencies, request, requireRole(caller, [Role.OPERATOR]));
  const { changes, credentials, termsBook, now } = dependencies;
  const { requestId, act, withPin, holderPublicKey } = request;
  const issue = (subject: CredentialSubject, terms: CredentialTerms) =>
    credentials.issue({ ...subject, requestId, act, withPin, holderPublicKey, terms });
  const stored = await changes.changeBy(IssueCredentialRequestSchema, request, {
    isRepeatable: true,
    caller,
    changer: "owner",
    plan: async (before, { site }, attempt) => {
      const atMs = now();
      refuseAct(before, act, atMs);
      if (act === Act.DEPOSIT) refuseOutOfService(before, site);
      const sizeClassIndex = sizeClassIndexOf(site, before.sizeClassId);
      const validity = credentials.validity(before, await termsBook.of(before), act, atMs);
      const wanted = { ...validity, attempt, sizeClassIndex };
      const terms = await openingTerms(wanted, revokedHashes(before), (some) => issue(subjectOf(before), some));
      const pin = withPin ? await credentials.pinEntry(subjectOf(before), requestId, terms) : undefined;
      const transition = credentialIssued(before, { actor: participantParty(caller), pin }, atMs);
      return { transition, response: credentials.encodeTerms(terms) };
    },
  });
  const subject = subjectOf(await changes.findOwn(request.reservationId, caller));
  const terms = credentials.decodeTerms(stored);
  const issued = await issue(subject, terms);
  await recordIssued(dependencies, { ...subject, issued, act, withPin, holderPublicKey, requestId, terms });
  return create(IssueCredentialResponseSchema, issued);
}

function subjectOf({ siteId, reservationId }: Reservation): CredentialSubject {
  return { siteId, subjectId: reservationId };
}

/** The index of a size class in which a place is held or occupied. Such a class keeps its index. */
function sizeClassIndexOf({ siteId, sizeClasses }: Site, sizeClassId: string): number {
  const index = sizeClasses.findIndex((sizeClass) => sizeClass.sizeClassId === sizeClassId);
  if (index < 0) throw new Error(`site ${siteId} has no size class ${sizeClassId}`);
  return index;
}
