import { participantParty, siteEvent } from "@petak/lifecycle";
import {
  EventType,
  type IssueCredentialRequest,
  IssueCredentialRequestSchema,
  invalidField,
  parseSiteId,
  type Site,
} from "@petak/protocol";
import type { Allocator } from "@petak/records";
import { siteNotFound } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import { fingerprintOf } from "../idempotency/fingerprint.ts";
import type { CredentialIssuer, CredentialValidity, IssuedCredential } from "./credential-issuer.ts";

import { openingTerms } from "./opening-terms.ts";

/** What issuing for work at sites needs. */
export interface IssueServiceDependencies {
  allocator: Allocator;
  credentials: CredentialIssuer;
  now: () => number;
}

/** Issues a credential for SERVICE to a site's operator. */
export type IssueService = (request: IssueCredentialRequest, caller: ParticipantCaller) => Promise<IssuedCredential>;

/**
 * Makes the call. What a request was given is kept before its event is recorded: whoever repeats a request that was cut short gets the same
 * credential, and the event is recorded once.
 */
export function createIssueService({ allocator, credentials, now }: IssueServiceDependencies): IssueService {
  return async (request, caller) => {
    const { requestId, siteId, compartmentId, holderPublicKey } = request;
    if (holderPublicKey === undefined) throw new TypeError("a request for SERVICE without a key was let through");
    const { participantId } = caller;
    const fingerprint = fingerprintOf(IssueCredentialRequestSchema, request);
    await allocator.requestIds.claim(participantId, requestId, fingerprint);
    const site = await findOwnSite(allocator, siteId, caller);
    refuseUnknownDoor(site, compartmentId);
    const atMs = now();
    const issue = (terms: CredentialValidity) => credentials.issueService({ siteId, compartmentId, holderPublicKey, terms });
    const validity = await openingTerms(credentials.serviceValidity(atMs), await allocator.siteRevocations.at(siteId, atMs), issue);
    const wanted = credentials.encodeTerms({ ...validity, attempt: 0, sizeClassIndex: 0 });
    const terms = credentials.decodeTerms(await allocator.requestIds.keep(participantId, requestId, fingerprint, wanted));
    const actor = participantParty(caller);
    const event = siteEvent({ type: EventType.CREDENTIAL_ISSUED, site, actor, occurredAtMs: atMs });
    await allocator.events.appendOnce(parseSiteId(siteId)?.region ?? "", `issued:${participantId}:${requestId}`, event);
    return await issue(terms);
  };
}

/** A site of which the caller is the operator. Throws SITE_NOT_FOUND where it is not. */
export async function findOwnSite({ sites }: Pick<Allocator, "sites">, siteId: string, caller: ParticipantCaller): Promise<Site> {
  const site = (await sites.find(siteId))?.site;
  const isOwn = site?.operatorId === caller.participantId && site.isTest === (caller.mode === "test");
  if (site === undefined || !isOwn) throw siteNotFound(siteId);
  return site;
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
