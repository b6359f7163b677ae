/** Facts about a token with a verified signature. */
export interface VerifiedToken {
  readonly keyId: string;
  readonly participantId: string;
  readonly expiresAtMs: number;
}

/** LRU cache of verified tokens. */
export interface VerifiedTokens {
  /** Finds a token, also an expired one. */
  find(hash: string): VerifiedToken | undefined;
  add(hash: string, token: VerifiedToken): void;
  readonly size: number;
}

/**
 * Creates a cache of at most `max` tokens. Expired tokens stay until they are evicted, so that their reuse can be distinguished from tokens that were
 * never valid here.
 */
export function createVerifiedTokens(max: number): VerifiedTokens {
  const tokens = new Map<string, VerifiedToken>();
  let newest: VerifiedToken | undefined;
  return {
    find(hash) {
      const token = tokens.get(hash);
      // Most callers make many calls in a row.
      if (token !== undefined && token !== newest) {
        // A Map keeps the order of insertion, so reinsertion makes it the newest.
        tokens.delete(hash);
        tokens.set(hash, token);
        newest = token;
      }
      return token;
    },
    add(hash, token) {
      tokens.delete(hash);
      tokens.set(hash, token);
      newest = token;
      if (tokens.size <= max) return;
      const [oldest] = tokens.keys();
      if (oldest !== undefined) tokens.delete(oldest);
    },
    get size() {
      return tokens.size;
    },
  };
}
