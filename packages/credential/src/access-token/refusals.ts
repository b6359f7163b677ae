/**
 * Why a judge refuses an access token, and what each means. The constants are the protocol's: a device reports them, and
 * docs/credentials.md lists them. The person at the door is told none of them.
 */
export const accessTokenRefusals = {
  MALFORMED: "It is no compact JWS in its one spelling, or its header has other members than alg, typ and kid.",
  ALGORITHM: 'Its `alg` is not "EdDSA".',
  TYPE: "Its `typ` is none of the access tokens'.",
  BUNDLE_EXPIRED: "The agent's trust bundle has expired, so it relies on no issuer key.",
  ISSUER_UNKNOWN: "The trust bundle has no key with its `kid`, or the key is a point of low order.",
  ISSUER_EXPIRED: "The trust bundle's key with its `kid` is no longer relied on.",
  SIGNATURE: "The signature does not match the key.",
  CLAIMS: "A claim is missing, unknown, out of its order or out of its range.",
  SITE: "It is for another site.",
  TOO_LONG_LIVED: "It would be good for longer than 14 days.",
  NOT_YET_VALID: "It is not good yet, by more than the skew allowed.",
  EXPIRED: "It has expired, by more than the skew allowed.",
  CLOCK_UNTRUSTED: "The agent's clock cannot be trusted, and the token is too old to judge without it.",
} as const;

/** Why a judge refuses an access token. */
export type AccessTokenRefusal = keyof typeof accessTokenRefusals;
