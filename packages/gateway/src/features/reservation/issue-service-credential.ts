import { create } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { participantParty, siteEvent } from "@petak/lifecycle";
import {
  Act,
  EventType,
  type IssueCredentialRequest,
  IssueCredentialRequestSchema,
  type IssueCredentialResponse,
  IssueCredentialResponseSchema,
  invalidField,
  parseSiteId,
  type Site,
} from "@petak/protocol";
import type { ParticipantCaller } from "../../identity/index.ts";
import { fingerprintOf } from "../idempotency/fingerprint.ts";
import { claimOnce } from "../idempotency/once.ts";
import { findOwnSite } from "../sites/find-sites.ts";
import type { CredentialValidity } from "./credential-issuer.ts";
import type { ReservationDependencies } from "./dependencies.ts";
import { openingTerms } from "./opening-terms.ts";

export type IssueServiceCredentialDependencies = Pick<
  ReservationDependencies,
  "credentials" | "events" | "issuedCredentials" | "requestIds" | "siteRevocations" | "sites" | "now"
>;

/**
 * Issues a credential for SERVICE to a site's operator. The stored response is the credential's terms, and it is stored before the event is recorded: a
 * duplicate of an interrupted request gets the same credential, and the event is recorded once.
 */
export async function issueServiceCredential(
  { credentials, events, issuedCredentials, requestIds, siteRevocations, sites, now }: IssueServiceCredentialDependencies,
  request: IssueCredentialRequest,
  caller: ParticipantCaller,
): Promise<IssueCredentialResponse> {
  const { requestId, siteId, compartmentId, holderPublicKey } = request;
  if (holderPublicKey === undefined) throw new TypeError("validation accepted a request for SERVICE without a key");
  const { participantId } = caller;
  const claimed = await claimOnce(requestIds, caller, requestId, fingerprintOf(IssueCredentialRequestSchema, request));
  const site = await findOwnSite(sites, siteId, caller);
  refuseUnknownDoor(site, compartmentId);
  const atMs = now();
  const issue = (terms: CredentialValidity) => credentials.issueService({ siteId, compartmentId, holderPublicKey, terms });
  async function newTerms(): Promise<Uint8Array> {
    const validity = await openingTerms(credentials.serviceValidity(atMs), await siteRevocations.at(siteId, atMs), issue);
    return credentials.encodeTerms({ ...validity, attempt: 0, sizeClassIndex: 0 });
  }
  const terms = credentials.decodeTerms(claimed.stored ?? (await claimed.store(await newTerms())));
  const actor = participantParty(caller);
  const event = siteEvent({ type: EventType.CREDENTIAL_ISSUED, site, actor, occurredAtMs: atMs });
  await events.appendOnce(parseSiteId(siteId)?.region ?? "", `issued:${participantId}:${requestId}`, event);
  const issued = await issue(terms);
  const { credentialHash, expiresAt } = issued;
  await issuedCredentials.add(siteId, {
    kind: Act.SERVICE,
    isBound: true,
    credentialHash,
    expiresAtMs: timestampMs(expiresAt),
    nowMs: atMs,
  });
  return create(IssueCredentialResponseSchema, issued);
}

function refuseUnknownDoor({ siteId, compartments }: Site, compartmentId: string): void {
  if (compartmentId === "" || compartments.length === 0) return;
  if (compartments.some((compartment) => compartment.compartmentId === compartmentId)) return;
  throw invalidField(
    "compartment_id",
    `must be a compartment that site ${siteId} lists, not '${compartmentId}'`,
    "issue_credential.compartment_of_site",
  );
}
