import { encodeBase64url } from "../bytes/base64url.ts";
import { framed, hmacSha256, shortHash } from "../bytes/digest.ts";

/** A new token id: 128 random bits in base64url. */
export function newTokenId(): string {
  return encodeBase64url(crypto.getRandomValues(new Uint8Array(16)));
}

/**
 * The token id of a request: 128 bits of an HMAC over it. A repeated request therefore gets the same token, and the gateway stores nothing.
 *
 * @param secret at least 32 bytes that only the gateway knows
 */
export async function deriveTokenId(secret: Uint8Array, context: { reservationId: string; requestId: string }): Promise<string> {
  const digest = await hmacSha256(secret, framed("petak-token-id", context.reservationId, context.requestId));
  return encodeBase64url(digest.subarray(0, 16));
}

/**
 * The id of a token that is bound to a key: 128 bits of a SHA-256 over its type and claims. The token has no room for an id beside the key's hash, and needs
 * none: tokens with equal claims are one token, whichever issuer key signed them.
 *
 * @param type the token's `typ`
 * @param payload its claims as JSON, exactly as the token contains them
 */
export function boundTokenId(type: string, payload: string): Promise<string> {
  return shortHash(framed("petak-bound-token-id", type, payload));
}
