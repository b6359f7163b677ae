import { signCompact } from "../jws/sign-compact.ts";
import { tokenAlgorithm } from "../jws/token-algorithm.ts";
import type { SigningKey } from "../keys/signing-key.ts";

export { tokenAlgorithm };

/** The `typ` of a request token. Explicit, so that no other token signed with the same key is accepted as one (RFC 8725 §3.11). */
export const requestTokenType = "petak-request+jwt";

/** Longest validity of a request token, in ms: a leaked token is usable for ten minutes at most. */
export const requestTokenMaxLifetimeMs = 600_000;

/** Validity that signers use, in ms: half the limit, which leaves room for a slow clock and a slow call. */
export const requestTokenLifetimeMs = 300_000;

export interface RequestTokenInput {
  /** The participant that calls: `iss`. */
  participantId: string;
  /** The registered key: `kid`. */
  keyId: string;
  privateKey: SigningKey;
  /** The gateway's audience: `aud`. */
  audience: string;
  /** The signer's clock, in ms. `iat` is the whole second. */
  issuedAtMs: number;
  /** Its validity, in ms. Default {@link requestTokenLifetimeMs}; gateways refuse more than {@link requestTokenMaxLifetimeMs}. */
  lifetimeMs?: number;
}

/** Signs the token with which a participant or an agent makes requests: a compact JWS over `iss`, `aud`, `iat` and `exp`. */
export async function signRequestToken(input: RequestTokenInput): Promise<string> {
  const issuedAt = Math.floor(input.issuedAtMs / 1000);
  const expiresAt = issuedAt + Math.floor((input.lifetimeMs ?? requestTokenLifetimeMs) / 1000);
  return signCompact(
    input.privateKey,
    { alg: tokenAlgorithm, typ: requestTokenType, kid: input.keyId },
    { iss: input.participantId, aud: input.audience, iat: issuedAt, exp: expiresAt },
  );
}
