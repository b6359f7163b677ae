import { encodeBase64url } from "../bytes/base64url.ts";
import { framed, hmacSha256, shortHash } from "../bytes/digest.ts";

/** A new token id: 128 bits from the system's generator, in base64url. */
export function newTokenId(): string {
  return encodeBase64url(crypto.getRandomValues(new Uint8Array(16)));
}

/**
 * The token id of a request: 128 bits of an HMAC over it, so that a gateway asked again by the same request issues the same token and
 * has nothing to remember.
 *
 * @param secret at least 32 bytes that only the gateway knows
 */
export async function deriveTokenId(secret: Uint8Array, context: { reservationId: string; requestId: string }): Promise<string> {
  const digest = await hmacSha256(secret, framed("petak-token-id", context.reservationId, context.requestId));
  return encodeBase64url(digest.subarray(0, 16));
}

/**
 * The id of a token that is bound to a key: 128 bits of a SHA-256 over its type and its claims as they stand. There is no room for an id
 * beside the key's hash, and none is needed: two tokens that say the same are one, whichever issuer key signed them.
 *
 * @param type the token's `typ`
 * @param payload its claims as they stand in it, decoded
 */
export function boundTokenId(type: string, payload: string): Promise<string> {
  return shortHash(framed("petak-bound-token-id", type, payload));
}
