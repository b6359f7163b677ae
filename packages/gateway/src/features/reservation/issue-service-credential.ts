import { create } from "@bufbuild/protobuf";
import { participantParty, siteEvent } from "@petak/lifecycle";
import {
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
import type { CredentialValidity } from "./credential-issuer.ts";
import type { ReservationDependencies } from "./dependencies.ts";
import { openingTerms } from "./opening-terms.ts";
import { findOwnSite } from "./own-site.ts";

export type IssueServiceCredentialDependencies = Pick<
  ReservationDependencies,
  "credentials" | "events" | "requestIds" | "siteRevocations" | "sites" | "now"
>;

/**
 * Issues a credential for SERVICE to a site's operator. The terms are stored before the event is recorded: the repetition of a request that was cut short
 * gets the same credential, and the event is recorded once.
 */
export async function issueServiceCredential(
  { credentials, events, requestIds, siteRevocations, sites, now }: IssueServiceCredentialDependencies,
  request: IssueCredentialRequest,
  caller: ParticipantCaller,
): Promise<IssueCredentialResponse> {
  const { requestId, siteId, compartmentId, holderPublicKey } = request;
  if (holderPublicKey === undefined) throw new TypeError("a request for SERVICE without a key was let through");
  const { participantId } = caller;
  const fingerprint = fingerprintOf(IssueCredentialRequestSchema, request);
  await requestIds.claim(participantId, requestId, fingerprint);
  const site = await findOwnSite(sites, siteId, caller);
  refuseUnknownDoor(site, compartmentId);
  const atMs = now();
  const issue = (terms: CredentialValidity) => credentials.issueService({ siteId, compartmentId, holderPublicKey, terms });
  const validity = await openingTerms(credentials.serviceValidity(atMs), await siteRevocations.at(siteId, atMs), issue);
  const wanted = credentials.encodeTerms({ ...validity, attempt: 0, sizeClassIndex: 0 });
  const terms = credentials.decodeTerms(await requestIds.storeResponse(participantId, requestId, fingerprint, wanted));
  const actor = participantParty(caller);
  const event = siteEvent({ type: EventType.CREDENTIAL_ISSUED, site, actor, occurredAtMs: atMs });
  await events.appendOnce(parseSiteId(siteId)?.region ?? "", `issued:${participantId}:${requestId}`, event);
  return create(IssueCredentialResponseSchema, await issue(terms));
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
