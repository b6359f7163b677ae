import { create } from "@bufbuild/protobuf";
import { timestampDate, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Key, KeySchema, Mode, ParticipantSchema, Role } from "@petak/protocol";
import type { ParticipantStore } from "@petak/records";

/** The participant that runs the gateway, known to it from its start. */
export interface AdminIdentity {
  participantId: string;
  /** A live key: it registers live and test keys of others. */
  keyId: string;
  /** 32 bytes. */
  publicKey: Uint8Array;
}

/**
 * The administrator that a gateway was given cannot be it. The message is one sentence for the person at the terminal, with the way out.
 *
 * It is not put right here: a key was revoked because somebody wanted it to end, and a participant that is no administrator is most likely
 * another's key file that was named by mistake.
 */
export class AdminError extends Error {
  override readonly name = "AdminError";
}

/**
 * Makes sure that ADMIN and its key are registered.
 *
 * @throws {AdminError} where the records know the participant or the key, and it is not good for an administrator.
 */
export async function registerAdmin(participants: ParticipantStore, admin: AdminIdentity, nowMs: number): Promise<void> {
  const { participantId, keyId, publicKey } = admin;
  const createdAt = timestampFromMs(nowMs);
  const { roles } = await participants.add(
    create(ParticipantSchema, { participantId, displayName: "Gateway administration", roles: [Role.ADMIN], createdAt }),
  );
  if (!roles.includes(Role.ADMIN)) {
    throw new AdminError(
      `${participantId} takes part already and has not the role ADMIN, so it cannot administer the gateway: name the administrator's key file with --admin-key-file.`,
    );
  }
  const key = create(KeySchema, { keyId, participantId, publicKey, mode: Mode.LIVE, createdAt, label: "administration" });
  const trouble = troubleWith(await participants.addKey(key), key);
  if (trouble !== undefined) {
    throw new AdminError(
      `The administrator's key ${keyId} ${trouble}: name another key file of an administrator with --admin-key-file, or move this one away and start again, and a new administrator is made.`,
    );
  }
}

function troubleWith(registered: Key, { participantId, publicKey }: Key): string | undefined {
  if (registered.revokedAt !== undefined) return `was revoked at ${timestampDate(registered.revokedAt).toISOString()}`;
  if (registered.participantId !== participantId) return `belongs to ${registered.participantId}`;
  if (Buffer.compare(registered.publicKey, publicKey) !== 0) return "is registered with another public key";
  if (registered.mode !== Mode.LIVE) return "is a test key, and an administrator needs a live one";
  if (registered.siteId !== "") return `is the key of the agent at ${registered.siteId}`;
  return undefined;
}
