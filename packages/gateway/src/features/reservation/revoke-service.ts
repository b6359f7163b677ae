import { credentialsExhausted, participantParty, siteEvent } from "@petak/lifecycle";
import { EventType, invalidField, ProofKind, type RevokeCredentialRequest, RevokeCredentialRequestSchema } from "@petak/protocol";
import type { Allocator } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import { fingerprintOf } from "../idempotency/fingerprint.ts";
import { serviceLifetimeMs } from "./credential-issuer.ts";
import { findOwnSite } from "./issue-service.ts";

/** Lets a credential for work at a site open nothing any more, for the site's operator. */
export type RevokeService = (request: RevokeCredentialRequest, siteId: string, caller: ParticipantCaller) => Promise<void>;

/** How long one is kept, in ms: for as long as it can open, and for an hour by which a site's clock may be wrong. */
const keptMs = serviceLifetimeMs + 3_600_000;

/** So many of one site are kept at most, of those that have not ended: the list goes to the site whenever it changes. */
const keptMax = 100;

/** Makes the call. */
export function createRevokeService({ allocator, now }: { allocator: Allocator; now: () => number }): RevokeService {
  return async (request, siteId, caller) => {
    const { requestId, credentialHash, pin } = request;
    if (credentialHash === "") {
      throw invalidField("credential_hash", "is required for a site, which has no PIN", "revoke_credential.hash_for_site");
    }
    if (pin) throw invalidField("pin", "must be false for a site, which has no PIN", "revoke_credential.pin_for_collect");
    const { participantId } = caller;
    const fingerprint = fingerprintOf(RevokeCredentialRequestSchema, request);
    await allocator.requestIds.claim(participantId, requestId, fingerprint);
    const site = await findOwnSite(allocator, siteId, caller);
    const nowMs = now();
    const event = siteEvent({
      type: EventType.CREDENTIAL_REVOKED,
      site,
      actor: participantParty(caller),
      occurredAtMs: nowMs,
      proof: { kind: ProofKind.ACCESS_TOKEN, credentialHash },
    });
    const answer = { participantId, requestId, fingerprint, bytes: new Uint8Array() };
    const outcome = await allocator.siteRevocations.add({ siteId, credentialHash, nowMs, keptMs, keptMax, event, answer });
    if (outcome === "full") throw credentialsExhausted(siteId, keptMax, "revoked");
  };
}
