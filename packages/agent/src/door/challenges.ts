import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { challengeLifetimeMs } from "@petak/credential";

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

/** Bytes of the time of issue in ms, of a number that keeps challenges of one ms apart, and of the code that proves both. */
const timeBytes = 6;
const numberBytes = 2;
const codeBytes = 8;

/**
 * Issues challenges that prove themselves: a code under a key that is in memory only. So any number can be open, nobody who asks for many takes one from anybody else,
 * and after a power cut the site accepts no proof for earlier ones. Only used ones are remembered, until they have expired.
 *
 * @param elapsedMs a clock that only goes on, in ms since any instant from 0 on
 */
export function createChallenges(elapsedMs: () => number): Challenges {
  const key = randomBytes(32);
  /** When the used challenges were issued. */
  const used = new Map<string, number>();
  let number = 0;

  const codeOf = (facts: Buffer) => createHmac("sha256", key).update(facts).digest().subarray(0, codeBytes);

  /** When a challenge was issued, in ms. Undefined: not by this site since its start. */
  function issuedAtMs(challenge: string): number | undefined {
    const bytes = Buffer.from(challenge, "base64url");
    if (bytes.length !== timeBytes + numberBytes + codeBytes || bytes.toString("base64url") !== challenge) return undefined;
    const facts = bytes.subarray(0, timeBytes + numberBytes);
    return timingSafeEqual(codeOf(facts), bytes.subarray(facts.length)) ? facts.readUIntBE(0, timeBytes) : undefined;
  }

  return {
    issue() {
      const facts = Buffer.alloc(timeBytes + numberBytes);
      facts.writeUIntBE(Math.floor(elapsedMs()), 0, timeBytes);
      number = (number + 1) % 2 ** (8 * numberBytes);
      facts.writeUIntBE(number, timeBytes, numberBytes);
      return { challenge: Buffer.concat([facts, codeOf(facts)]).toString("base64url"), lifetimeMs: challengeLifetimeMs };
    },
    ageMs(challenge) {
      const atMs = used.has(challenge) ? undefined : issuedAtMs(challenge);
      return atMs === undefined ? undefined : elapsedMs() - atMs;
    },
    use(challenge) {
      const nowMs = elapsedMs();
      for (const [one, atMs] of used) if (nowMs - atMs >= challengeLifetimeMs) used.delete(one);
      const atMs = issuedAtMs(challenge);
      if (atMs !== undefined && nowMs - atMs < challengeLifetimeMs) used.set(challenge, atMs);
    },
  };
}
