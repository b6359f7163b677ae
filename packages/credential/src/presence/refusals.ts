/** Why a site does not believe that the holder of a token is there, and what each means. */
export const presenceRefusals = {
  PRESENCE_MISSING: "The token is bound to a key, and no proof of presence came with it.",
  PRESENCE_MALFORMED: "The proof of presence is not challenge, key and signature in their one spelling.",
  CHALLENGE_UNKNOWN: "The challenge is none that this site has given since it started, or it was used before.",
  CHALLENGE_EXPIRED: "The challenge was given more than a minute ago.",
  HOLDER_KEY: "The key is not the one that the token is bound to, or is a point of low order.",
  PRESENCE_SIGNATURE: "The signature does not match the key, the site, the challenge, the token and the door.",
} as const;

/** Why a site does not believe that the holder of a token is there. */
export type PresenceRefusal = keyof typeof presenceRefusals;
