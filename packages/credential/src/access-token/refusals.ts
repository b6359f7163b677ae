/**
 * Why an access token is refused, and what each reason means. The constants belong to the protocol: devices report them, and
 * docs/credentials.md lists them. The person at the door sees none of them.
 */
export const accessTokenRefusals = {
  MALFORMED: "The token is not a compact JWS in canonical form, or its header does not consist of alg, typ and kid.",
  ALGORITHM: 'The `alg` is not "EdDSA".',
  TYPE: "The `typ` is not that of an access token.",
  BUNDLE_EXPIRED: "The agent's trust bundle has expired, so it trusts no issuer key.",
  ISSUER_UNKNOWN: "The trust bundle has no key with this `kid`, or the key is a point of low order.",
  ISSUER_EXPIRED: "The trust bundle's key with this `kid` is no longer trusted.",
  SIGNATURE: "The signature does not match the key.",
  CLAIMS: "A claim is missing, unknown, out of order or out of range.",
  SITE: "The token is for another site.",
  TOO_LONG_LIVED: "The token's validity is longer than 14 days.",
  NOT_YET_VALID: "The token is not valid yet, by more than the allowed clock skew.",
  EXPIRED: "The token has expired, by more than the allowed clock skew.",
  CLOCK_UNTRUSTED: "The agent's clock cannot be trusted, and the token is too old to be judged without it.",
} as const;

/** Why an access token is refused. */
export type AccessTokenRefusal = keyof typeof accessTokenRefusals;
