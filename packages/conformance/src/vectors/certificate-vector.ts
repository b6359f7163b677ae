import type { ProofOutcome } from "./proof-vector.ts";

/** What a root key states of another key, and whether it is believed. docs/credentials.md specifies both. Bytes are in base64url. */
export interface CertificateVector {
  id: string;
  shows: string;
  /** The certificate or revocation. */
  statement: string;
  /** Which of both it should be. */
  type: "certificate" | "revocation";
  /** The root key that is believed. */
  root_key: string;
  /** Whose key it should be. */
  kind: "issuer" | "participant";
  now_ms: number;
  expected: ProofOutcome;
}
