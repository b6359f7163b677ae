import { challengeLifetimeMs, newChallenge } from "@petak/credential";

/** What a site asks the holder of a token to sign. */
export interface Challenge {
  /** 22 characters. Show it as a QR code, or send it over Bluetooth: it is no secret. */
  readonly challenge: string;
  /** For how long it is good, in ms. */
  readonly lifetimeMs: number;
}

/** The challenges that a site has given and nobody has answered. */
export interface Challenges {
  give(): Challenge;
  /** How long ago a challenge was given, in ms. Undefined: it was not, or it was used. */
  ageMs(challenge: string): number | undefined;
  /** Uses a challenge up, whatever comes of it. */
  use(challenge: string): void;
}

/** A site has at most so many challenges about. More people do not stand before one; whoever asks for more pushes out the oldest. */
const mostChallenges = 100;

/**
 * Keeps challenges in memory, and on no disk: a site that was without power knows none of those before, and so accepts no answer to them.
 *
 * @param now the device's clock, in ms. Not the site's, which the gateway corrects and which may stand in its place: only the time between
 * giving and using counts here.
 */
export function createChallenges(now: () => number): Challenges {
  const givenAtMs = new Map<string, number>();
  return {
    give() {
      const challenge = newChallenge();
      for (const oldest of givenAtMs.keys()) {
        if (givenAtMs.size < mostChallenges) break;
        givenAtMs.delete(oldest);
      }
      givenAtMs.set(challenge, now());
      return { challenge, lifetimeMs: challengeLifetimeMs };
    },
    ageMs(challenge) {
      const atMs = givenAtMs.get(challenge);
      return atMs === undefined ? undefined : now() - atMs;
    },
    use(challenge) {
      givenAtMs.delete(challenge);
    },
  };
}
