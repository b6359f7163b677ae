import { encodeBase64url } from "../bytes/base64url.ts";

/**
 * Validity of a challenge, in ms: a minute, enough to scan it, unlock a telephone and hold it to the scanner, and too short to carry a proof from one door
 * to another.
 */
export const challengeLifetimeMs = 60_000;

/** A new challenge, unique across all sites: 128 random bits in base64url. */
export function newChallenge(): string {
  return encodeBase64url(crypto.getRandomValues(new Uint8Array(16)));
}
