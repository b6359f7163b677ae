import { create } from "@bufbuild/protobuf";
import { isRevocable, participantParty, revoke, revokeOfBundle } from "@petak/lifecycle";
import {
  invalidField,
  type RevokeCredentialRequest,
  RevokeCredentialRequestSchema,
  type RevokeCredentialResponse,
  RevokeCredentialResponseSchema,
  Role,
} from "@petak/protocol";
import { type ParticipantCaller, requireRole } from "../../identity/index.ts";
import { fingerprintOf } from "../idempotency/fingerprint.ts";
import type { ReservationDependencies } from "./dependencies.ts";
import { refuseUnissued } from "./refuse-unissued.ts";
import { type RevokeServiceCredentialDependencies, revokeServiceCredential } from "./revoke-service-credential.ts";

export type RevokeCredentialDependencies = RevokeServiceCredentialDependencies & Pick<ReservationDependencies, "bundleChanges" | "changes">;

/** Revokes an access token or the PIN of a reservation or a bundle, or a SERVICE credential. @param onUnchanged called if that SERVICE credential is already revoked */
export async function revokeCredential(
  dependencies: RevokeCredentialDependencies,
  request: RevokeCredentialRequest,
  caller: ParticipantCaller,
  onUnchanged: () => void = () => {},
): Promise<RevokeCredentialResponse> {
  const { bundleChanges, changes, issuedCredentials, now } = dependencies;
  const { requestId, subject, credentialHash: revoked } = request;
  const response = create(RevokeCredentialResponseSchema);
  if (subject.case === "siteId") {
    await revokeServiceCredential(dependencies, request, subject.value, requireRole(caller, [Role.OPERATOR]), onUnchanged);
    return response;
  }
  if (revoked === "" && !request.pin) {
    throw invalidField("credential_hash", "must be set unless pin is true", "revoke_credential.what");
  }
  const fingerprint = fingerprintOf(RevokeCredentialRequestSchema, request);
  const facts = { actor: participantParty(caller), credentialHash: revoked, endsPin: request.pin };
  const encodedResponse = new Uint8Array();
  if (subject.case === "bundleId") {
    const bundleId = subject.value;
    await bundleChanges.change({
      ...{ caller, requestId, bundleId, fingerprint, isNew: false },
      plan: async (before) => {
        const atMs = now();
        if (before === undefined) throw new Error("an existing bundle was not read");
        await refuseUnissued(issuedCredentials, before, bundleId, revoked, atMs);
        const members = await bundleChanges.membersOf(before);
        return {
          transition: revokeOfBundle(before, { ...facts, members }, atMs),
          siteId: before.siteId,
          nowMs: atMs,
          response: encodedResponse,
        };
      },
    });
    return response;
  }
  await changes.change({
    ...{ caller, requestId, reservationId: subject.value ?? "", fingerprint, changer: "owner" },
    plan: async (before) => {
      if (isRevocable(before)) await refuseUnissued(issuedCredentials, before, before.reservationId, revoked, now());
      return { transition: revoke(before, facts, now()), response: encodedResponse };
    },
  });
  return response;
}
