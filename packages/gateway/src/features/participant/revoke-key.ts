import { create } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import {
  EventType,
  Mode,
  PetakError,
  type RevokeKeyRequest,
  RevokeKeyRequestSchema,
  type RevokeKeyResponse,
  RevokeKeyResponseSchema,
} from "@petak/protocol";
import type { ParticipantEvents, ParticipantStore, PinKeys, RequestIds } from "@petak/records";
import type { CachedKeyDirectory } from "../../identity/cached-key-directory.ts";
import type { ParticipantCaller } from "../../identity/index.ts";
import type { PinRotation } from "../enrolment/pin-rotation.ts";
import { claimRequest } from "../idempotency/claim-request.ts";
import { recordKeyEvent } from "../keys/key-event.ts";
import { isAdmin, refuseLiveFromTest } from "./subject.ts";

export interface RevokeKeyDependencies {
  participants: Pick<ParticipantStore, "findKey" | "findPublishableKey" | "revokeKey" | "revokePublishableKey">;
  keyDirectory: Pick<CachedKeyDirectory, "forget">;
  requestIds: Pick<RequestIds, "claim">;
  participantEvents: ParticipantEvents;
  pinRotation: Pick<PinRotation, "rotate">;
  pinKeys: Pick<PinKeys, "mayKnow">;
  now: () => number;
}

/**
 * Revokes a key or publishable key of the caller, or for ADMIN of any participant. With an agent's key the PINs of its site end, if it may know the key under which they are hashed. A key that is already revoked keeps the time of its revocation.
 *
 * @param onChange called before the first write, after which the call may still be refused: other changes of its reservations may go on colliding
 * @param onUnchanged called if it is already revoked
 * @throws {PetakError} KEY_NOT_FOUND if it does not exist or the caller may not see it; MODE_MISMATCH for a live key by a test key.
 */
export async function revokeKey(
  { participants, keyDirectory, requestIds, participantEvents, pinRotation, pinKeys, now }: RevokeKeyDependencies,
  request: RevokeKeyRequest,
  caller: ParticipantCaller,
  onChange: () => void,
  onUnchanged: () => void,
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
  // First, since a key that revokes itself cannot repeat a request that is cut off in between.
  const revoked = key ?? publishableKey;
  if (revoked?.revokedAt !== undefined) onUnchanged();
  onChange();
  if (revoked !== undefined) await recordKeyEvent(participantEvents, EventType.KEY_REVOKED, revoked, caller, now());
  const revokedAt = timestampFromMs(now());
  if (key !== undefined) await participants.revokeKey(key, revokedAt);
  // Whoever has the device has what it was told.
  if (
    key !== undefined &&
    key.siteId !== "" &&
    (await pinKeys.mayKnow(key, key.createdAt === undefined ? 0 : timestampMs(key.createdAt)))
  ) {
    await pinRotation.rotate(key, `revoked ${keyId}`);
  }
  if (publishableKey !== undefined) await participants.revokePublishableKey(publishableKey, revokedAt);
  keyDirectory.forget(keyId);
  return create(RevokeKeyResponseSchema);
}
