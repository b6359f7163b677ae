import { challengeLifetimeMs, newChallenge } from "@petak/credential";

/** A challenge that the holder of a token must sign. */
export interface Challenge {
  /** 22 characters, to be shown as a QR code or sent over Bluetooth. Not secret. */
  readonly challenge: string;
  /** Its validity, in ms. */
  readonly lifetimeMs: number;
}

/** The open challenges of a site. */
export interface Challenges {
  issue(): Challenge;
  /** Age of a challenge, in ms. Undefined: not issued by this site since its start, or already used. */
  ageMs(challenge: string): number | undefined;
  /** Invalidates a challenge, whether the attempt succeeds or not. */
  use(challenge: string): void;
}

/** Limit for open challenges; a further one replaces the oldest. More people do not stand at one site. */
const challengesMax = 100;

/**
 * Keeps challenges in memory only: after a power cut the site accepts no proof for earlier challenges.
 *
 * @param now the device's clock, in ms. Not the site's corrected clock, which may jump or stand still: only elapsed time matters here.
 */
export function createChallenges(now: () => number): Challenges {
  const issuedAtMs = new Map<string, number>();
  return {
    issue() {
      const challenge = newChallenge();
      for (const oldest of issuedAtMs.keys()) {
        if (issuedAtMs.size < challengesMax) break;
        issuedAtMs.delete(oldest);
      }
      issuedAtMs.set(challenge, now());
      return { challenge, lifetimeMs: challengeLifetimeMs };
    },
    ageMs(challenge) {
      const atMs = issuedAtMs.get(challenge);
      return atMs === undefined ? undefined : now() - atMs;
    },
    use(challenge) {
      issuedAtMs.delete(challenge);
    },
  };
}
