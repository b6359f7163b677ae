import { createHash } from "node:crypto";
import { encodeBase32 } from "@petak/protocol";

/** Characters of an id at most: one for each byte of the hash. */
const derivedMaxLength = 32;

/**
 * An id that follows from a request, of `length` characters: a repetition makes the same one. Nobody can foresee it without the caller's
 * request id.
 */
export function derivedId(participantId: string, requestId: string, length: number): string {
  const digest = createHash("sha256").update(`petak id\0${participantId}\0${requestId}`).digest();
  return Array.from(digest.subarray(0, Math.min(length, derivedMaxLength)), (byte) => encodeBase32(byte & 31)).join("");
}
