/** Why a site does not accept a proof of presence, and what each reason means. */
export const presenceRefusals = {
  PRESENCE_MISSING: "The token is bound to a key and was shown without a proof of presence.",
  PRESENCE_MALFORMED: "The proof of presence does not consist of challenge, key and signature in canonical form.",
  CHALLENGE_UNKNOWN: "The site has not issued this challenge since it started, or it was used before.",
  CHALLENGE_EXPIRED: "The challenge was issued more than a minute ago.",
  HOLDER_KEY: "The token is bound to another key, or the key is a point of low order.",
  PRESENCE_SIGNATURE: "The signature does not match key, site, challenge, token and door.",
} as const;

/** Why a site does not accept a proof of presence. */
export type PresenceRefusal = keyof typeof presenceRefusals;
