import { credentialsExhausted, participantParty, siteEvent } from "@petak/lifecycle";
import {
  EventType,
  invalidField,
  ProofKind,
  parseSiteId,
  type RevokeCredentialRequest,
  RevokeCredentialRequestSchema,
} from "@petak/protocol";
import type { ParticipantCaller } from "../../identity/index.ts";
import { claimRequest } from "../idempotency/claim-request.ts";
import { findOwnSite } from "../sites/find-sites.ts";
import { serviceLifetimeMs } from "./credential-issuer.ts";
import type { ReservationDependencies } from "./dependencies.ts";
import { credentialNotFound } from "./refuse-unissued.ts";

export type RevokeServiceCredentialDependencies = Pick<
  ReservationDependencies,
  "issuedCredentials" | "requestIds" | "siteRevocations" | "sites" | "now"
>;

/** How long a revocation is kept, in ms: the credential's longest lifetime plus an hour for errors of the site's clock. */
const keptMs = serviceLifetimeMs + 3_600_000;

/** Most current revocations of one site. The whole list is sent to the site whenever it changes. */
const keptMax = 100;

/** Revokes a SERVICE credential for the site's operator. @param onUnchanged called if it is already revoked */
export async function revokeServiceCredential(
  { issuedCredentials, requestIds, siteRevocations, sites, now }: RevokeServiceCredentialDependencies,
  request: RevokeCredentialRequest,
  siteId: string,
  caller: ParticipantCaller,
  onUnchanged: () => void = () => {},
): Promise<void> {
  const { requestId, credentialHash, pin } = request;
  if (credentialHash === "") {
    throw invalidField("credential_hash", "is required for a site, which has no PIN", "revoke_credential.hash_for_site");
  }
  if (pin) throw invalidField("pin", "must be false for a site, which has no PIN", "revoke_credential.pin_for_collect");
  const { participantId } = caller;
  const fingerprint = await claimRequest(requestIds, caller, RevokeCredentialRequestSchema, request);
  const site = await findOwnSite(sites, siteId, caller);
  const region = parseSiteId(siteId)?.region ?? "";
  if ((await requestIds.findResponseIn(region, participantId, requestId, fingerprint)) !== undefined) return;
  const nowMs = now();
  // Those of an earlier release have expired once the longest lifetime has passed since all are recorded.
  const isRevoked = (await siteRevocations.at(siteId, nowMs)).includes(credentialHash);
  if (isRevoked) onUnchanged();
  const isKnown =
    isRevoked ||
    (await issuedCredentials.has(siteId, credentialHash, nowMs)) ||
    nowMs < (await issuedCredentials.completeSinceMs()) + keptMs;
  if (!isKnown) throw credentialNotFound(siteId, credentialHash);
  const event = siteEvent({
    type: EventType.CREDENTIAL_REVOKED,
    site,
    actor: participantParty(caller),
    occurredAtMs: nowMs,
    proof: { kind: ProofKind.ACCESS_TOKEN, credentialHash },
  });
  const response = { participantId, requestId, fingerprint, bytes: new Uint8Array() };
  const outcome = await siteRevocations.add({ siteId, credentialHash, nowMs, keptMs, keptMax, event, response });
  if (outcome === "full") throw credentialsExhausted(siteId, keptMax, "revoked");
}
