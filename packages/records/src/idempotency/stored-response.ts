import type { ScriptArgument } from "@petak/redis";

/** A response that is stored with its idempotency key, so that a repeated request gets the same one. */
export interface StoredResponse {
  participantId: string;
  /** UUID of the request. */
  requestId: string;
  /** The first 16 bytes of the SHA-256 of the request's body. */
  fingerprint: Buffer;
  /** The encoded response. */
  bytes: Uint8Array;
}

/** How long responses are stored, in ms: the 24 h that the protocol promises, and one hour more because clocks differ. */
export const responseTtlMs = 25 * 3_600_000;

const fingerprintBytes = 16;
const responseKind = "A".charCodeAt(0);

/** Fingerprint, time to live and response, as the scripts take them. */
export function responseArguments(response: StoredResponse): ScriptArgument[] {
  return [response.fingerprint, responseTtlMs, Buffer.from(response.bytes)];
}

/** The response in an entry that lua/includes/stored-responses.lua wrote. Undefined if the entry is of another kind. */
export function responseIn(entry: Buffer): Buffer | undefined {
  return entry[fingerprintBytes] === responseKind ? entry.subarray(fingerprintBytes + 1) : undefined;
}
