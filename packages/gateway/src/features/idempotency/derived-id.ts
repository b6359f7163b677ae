import { createHash } from "node:crypto";
import { encodeBase32 } from "@petak/protocol";

/** Longest id, in characters: one for each byte of the hash. */
const derivedMaxLength = 32;

/**
 * Derives an id of `length` characters from a request: a duplicate gives the same id, and the same request to another store gives another. The id cannot
 * be predicted without the request id.
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
