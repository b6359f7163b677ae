import { create } from "@bufbuild/protobuf";
import { timestampDate, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Key, KeySchema, Mode, ParticipantSchema, Role } from "@petak/protocol";
import type { ParticipantStore } from "@petak/records";

/** The administrator of a gateway. */
export interface AdminIdentity {
  participantId: string;
  /** A live key: it registers live and test keys of others. */
  keyId: string;
  /** 32 bytes. */
  publicKey: Uint8Array;
}

/**
 * The configured administrator cannot be used. The message says why and what to do.
 *
 * It is not repaired automatically: a key was revoked on purpose, and a participant without the role ADMIN probably means that the wrong key file was named.
 */
export class AdminError extends Error {
  override readonly name = "AdminError";
}

/**
 * Registers the administrator and its key, unless they are registered.
 *
 * @throws {AdminError} if the participant or the key exists and cannot be used by an administrator.
 */
export async function registerAdmin(participants: ParticipantStore, admin: AdminIdentity, nowMs: number): Promise<void> {
  const { participantId, keyId, publicKey } = admin;
  const createdAt = timestampFromMs(nowMs);
  const { roles } = await participants.add(
    create(ParticipantSchema, { participantId, displayName: "Gateway administration", roles: [Role.ADMIN], createdAt }),
    true,
  );
  if (!roles.includes(Role.ADMIN)) {
    throw new AdminError(
      `${participantId} is registered and does not have the role ADMIN, so it cannot administer the gateway: name the administrator's key file with --admin-key-file.`,
    );
  }
  const key = create(KeySchema, { keyId, participantId, publicKey, mode: Mode.LIVE, createdAt, label: "administration" });
  const problem = problemWith(await participants.addKey(key), key);
  if (problem !== undefined) {
    throw new AdminError(
      `The administrator's key ${keyId} ${problem}: name another key file of an administrator with --admin-key-file, or move this file away and start again to create a new administrator.`,
    );
  }
}

function problemWith(registered: Key, { participantId, publicKey }: Key): string | undefined {
  if (registered.revokedAt !== undefined) return `was revoked at ${timestampDate(registered.revokedAt).toISOString()}`;
  if (registered.participantId !== participantId) return `belongs to ${registered.participantId}`;
  if (Buffer.compare(registered.publicKey, publicKey) !== 0) return "is registered with another public key";
  if (registered.mode !== Mode.LIVE) return "is a test key, but an administrator requires a live key";
  if (registered.siteId !== "") return `is the key of the agent at ${registered.siteId}`;
  return undefined;
}
