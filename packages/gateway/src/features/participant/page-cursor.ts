import { hash } from "node:crypto";
import type { ListedKey } from "@petak/records";
import { invalidCursor } from "../feed/invalid-cursor.ts";

const keyCursor = /^keys\.([\w-]{8})\.([0-5])\.(-?\d{1,15})\.([a-z]+_[a-z]+_[0-9a-z]+)$/;
const participantCursor = /^participants\.([\x21-\x7e]{1,64})$/;

/** Encodes a position among a participant's keys. It is opaque to callers. */
export function encodeKeyCursor(participantId: string, { group, score, keyId }: ListedKey): string {
  return `keys.${ownerHash(participantId)}.${group}.${score}.${keyId}`;
}

/** Reads the cursor of a request about a participant's keys. Undefined: at the beginning. @throws {PetakError} CURSOR_INVALID. */
export function decodeKeyCursor(participantId: string, cursor: string): ListedKey | undefined {
  if (cursor === "") return undefined;
  const [, owner, group, score, keyId] = keyCursor.exec(cursor) ?? [];
  if (keyId === undefined || owner !== ownerHash(participantId)) throw invalidCursor();
  return { group: Number(group), score: Number(score), keyId };
}

/** Encodes a position among the participants. It is opaque to callers. */
export function encodeParticipantCursor(participantId: string): string {
  return `participants.${participantId}`;
}

/** Reads the cursor of a request for participants: the id after which to continue, "" for the beginning. @throws {PetakError} CURSOR_INVALID. */
export function decodeParticipantCursor(cursor: string): string {
  if (cursor === "") return "";
  const [, after] = participantCursor.exec(cursor) ?? [];
  if (after === undefined) throw invalidCursor();
  return after;
}

/** Enough of a hash to detect a cursor for another participant. */
function ownerHash(participantId: string): string {
  return hash("sha256", participantId, "base64url").slice(0, 8);
}
