import { encodeBase64url } from "../bytes/base64url.ts";

/**
 * A challenge is good for so long after it was given, in ms: a minute, to scan it, unlock a telephone and hold that before the scanner. A proof
 * that somebody carried away from another door is older.
 */
export const challengeLifetimeMs = 60_000;

/** A new challenge: 128 bits from the system's generator, in base64url. So no two are the same, at whatever sites. */
export function newChallenge(): string {
  return encodeBase64url(crypto.getRandomValues(new Uint8Array(16)));
}
