/** A proof of one call, and whether it is accepted. docs/credentials.md specifies both. Bytes are in base64url. */
export interface ProofVector {
  id: string;
  shows: string;
  /** The DPoP header. */
  proof: string;
  /** The path of the method. */
  path: string;
  /** The call's request token, without `Bearer`, which was verified with this key. */
  request_token: string;
  key_id: string;
  public_key: string;
  /** The `request_id` of the message; null if the message has no such field. */
  request_id: string | null;
  /** The message as sent. */
  message: string;
  now_ms: number;
  /** The `jti` of the proofs that were used with the key before. */
  used: readonly string[];
  expected: ProofOutcome;
}

/** What becomes of a call: its `fault` is the claim or header field that is wrong, `form`, `signature` or `replayed`; null if it is accepted. */
export interface ProofOutcome {
  fault: string | null;
}

/** A possession proof, and whether a key may be registered with it. */
export interface PossessionVector {
  id: string;
  shows: string;
  possession_proof: string;
  /** The key that is to be registered. */
  public_key: string;
  audience: string;
  participant_id: string;
  mode: "live" | "test";
  /** Empty for a key of the participant itself. */
  site_id: string;
  request_id: string;
  expected: ProofOutcome;
}
