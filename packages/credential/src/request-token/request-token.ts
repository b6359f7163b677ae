import { signCompact } from "../jws/sign-compact.ts";
import type { SigningKey } from "../keys/signing-key.ts";

/** The `typ` of a request token. Explicit, so that no other token signed with the same key passes for one (RFC 8725 §3.11). */
export const requestTokenType = "petak-request+jwt";

/** The one `alg` of every token of the protocol: Ed25519 (RFC 8037). Verifiers choose it; a token only repeats it. */
export const tokenAlgorithm = "EdDSA";

/** How long a request token may be good, in ms: a token that leaks is worth ten minutes. */
export const requestTokenMaxLifetimeMs = 600_000;

/** How long signers make them good, in ms: half of what is allowed, so that a slow clock and a slow call still fit. */
export const requestTokenLifetimeMs = 300_000;

/** What a request token says. */
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
  /** How long it is good, in ms. Default {@link requestTokenLifetimeMs}; gateways refuse more than {@link requestTokenMaxLifetimeMs}. */
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
