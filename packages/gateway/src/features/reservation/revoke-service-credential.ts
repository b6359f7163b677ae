import { credentialsExhausted, participantParty, siteEvent } from "@petak/lifecycle";
import { EventType, invalidField, ProofKind, type RevokeCredentialRequest, RevokeCredentialRequestSchema } from "@petak/protocol";
import type { ParticipantCaller } from "../../identity/index.ts";
import { fingerprintOf } from "../idempotency/fingerprint.ts";
import { serviceLifetimeMs } from "./credential-issuer.ts";
import type { ReservationDependencies } from "./dependencies.ts";
import { findOwnSite } from "./own-site.ts";

export type RevokeServiceCredentialDependencies = Pick<ReservationDependencies, "requestIds" | "siteRevocations" | "sites" | "now">;

/** How long a revocation is kept, in ms: for as long as the credential can open, and for an hour by which a site's clock may be wrong. */
const keptMs = serviceLifetimeMs + 3_600_000;

/** The number of current revocations of one site at most: the whole list goes to the site whenever it changes. */
const keptMax = 100;

/** Revokes a credential for work at a site, for the site's operator. */
export async function revokeServiceCredential(
  { requestIds, siteRevocations, sites, now }: RevokeServiceCredentialDependencies,
  request: RevokeCredentialRequest,
  siteId: string,
  caller: ParticipantCaller,
): Promise<void> {
  const { requestId, credentialHash, pin } = request;
  if (credentialHash === "") {
    throw invalidField("credential_hash", "is required for a site, which has no PIN", "revoke_credential.hash_for_site");
  }
  if (pin) throw invalidField("pin", "must be false for a site, which has no PIN", "revoke_credential.pin_for_collect");
  const { participantId } = caller;
  const fingerprint = fingerprintOf(RevokeCredentialRequestSchema, request);
  await requestIds.claim(participantId, requestId, fingerprint);
  const site = await findOwnSite(sites, siteId, caller);
  const nowMs = now();
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
