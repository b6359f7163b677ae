/** What is remembered of a token whose signature was good. */
export interface VerifiedToken {
  readonly keyId: string;
  readonly participantId: string;
  readonly expiresAtMs: number;
}

/** Tokens that were verified, the least recently used forgotten first. */
export interface VerifiedTokens {
  /** The token with a hash, expired ones too. */
  find(hash: string): VerifiedToken | undefined;
  add(hash: string, token: VerifiedToken): void;
  readonly size: number;
}

/**
 * Makes a memory for at most `max` tokens. Expired ones stay until their place is needed, so that one which comes again can be told from
 * one that was never good here.
 */
export function createVerifiedTokens(max: number): VerifiedTokens {
  const tokens = new Map<string, VerifiedToken>();
  let youngest: VerifiedToken | undefined;
  return {
    find(hash) {
      const token = tokens.get(hash);
      // Most callers come many times in a row.
      if (token !== undefined && token !== youngest) {
        // A Map keeps the order of insertion: put again, it is the youngest.
        tokens.delete(hash);
        tokens.set(hash, token);
        youngest = token;
      }
      return token;
    },
    add(hash, token) {
      tokens.delete(hash);
      tokens.set(hash, token);
      youngest = token;
      if (tokens.size <= max) return;
      const [oldest] = tokens.keys();
      if (oldest !== undefined) tokens.delete(oldest);
    },
    get size() {
      return tokens.size;
    },
  };
}
