import { createHash } from "node:crypto";
import { encodeBase32 } from "@petak/protocol";

/** Characters of an id at most: one for each byte of the hash. */
const derivedMaxLength = 32;

/**
 * An id that follows from a request to a store, of `length` characters: a repetition makes the same one, and the same request to another store makes
 * another. Nobody can foresee it without the caller's request id.
 */
export function derivedId(
  storeCode: string,
  { participantId }: { participantId: string },
  { requestId }: { requestId: string },
  length: number,
): string {
  const digest = createHash("sha256").update(`petak id\0${storeCode}\0${participantId}\0${requestId}`).digest();
  return Array.from(digest.subarray(0, Math.min(length, derivedMaxLength)), (byte) => encodeBase32(byte & 31)).join("");
}
