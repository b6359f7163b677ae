import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  Mode,
  PetakError,
  type RevokeKeyRequest,
  RevokeKeyRequestSchema,
  type RevokeKeyResponse,
  RevokeKeyResponseSchema,
} from "@petak/protocol";
import type { ParticipantStore, RequestIds } from "@petak/records";
import type { CachedKeyDirectory } from "../../identity/cached-key-directory.ts";
import type { ParticipantCaller } from "../../identity/index.ts";
import { claimRequest } from "../idempotency/claim-request.ts";
import { isAdmin, refuseLiveFromTest } from "./subject.ts";

export interface RevokeKeyDependencies {
  participants: Pick<ParticipantStore, "findKey" | "findPublishableKey" | "replaceKey" | "replacePublishableKey">;
  keyDirectory: Pick<CachedKeyDirectory, "forget">;
  requestIds: Pick<RequestIds, "claim">;
  now: () => number;
}

/**
 * Revokes a key or publishable key of the caller, or for ADMIN of any participant. A key that is already revoked keeps the time of its revocation.
 *
 * @throws {PetakError} KEY_NOT_FOUND if it does not exist or the caller may not see it; MODE_MISMATCH for a live key by a test key.
 */
export async function revokeKey(
  { participants, keyDirectory, requestIds, now }: RevokeKeyDependencies,
  request: RevokeKeyRequest,
  caller: ParticipantCaller,
): Promise<RevokeKeyResponse> {
  const { keyId } = request;
  await claimRequest(requestIds, caller, RevokeKeyRequestSchema, request);
  const [key, publishableKey] = await Promise.all([participants.findKey(keyId), participants.findPublishableKey(keyId)]);
  const owner = key?.participantId ?? publishableKey?.participantId;
  const mode = key?.mode ?? publishableKey?.mode;
  if (owner === undefined || (owner !== caller.participantId && !isAdmin(caller))) {
    throw new PetakError("KEY_NOT_FOUND", `key ${JSON.stringify(keyId)} does not exist, or the caller may not see it`, {
      metadata: { key_id: keyId },
    });
  }
  if (mode === Mode.LIVE) refuseLiveFromTest(caller, Mode.LIVE);
  const revokedAt = timestampFromMs(now());
  if (key !== undefined && key.revokedAt === undefined) await participants.replaceKey({ ...key, revokedAt });
  if (publishableKey !== undefined && publishableKey.revokedAt === undefined) {
    await participants.replacePublishableKey({ ...publishableKey, revokedAt });
  }
  keyDirectory.forget(keyId);
  return create(RevokeKeyResponseSchema);
}
