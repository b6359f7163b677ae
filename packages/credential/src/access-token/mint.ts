import { Act } from "@petak/protocol";
import { signCompact } from "../jws/sign-compact.ts";
import type { IssuerKeyPair } from "../keys/issuer-key.ts";
import { tokenAlgorithm } from "../request-token/request-token.ts";
import {
  accessTokenMaxLength,
  accessTokenMaxLifetimeMs,
  accessTokenTypes,
  type ClaimsToWrite,
  delegateTokenType,
  writeClaims,
} from "./claims.ts";

/** What to mint: the claims, and the keys to sign with. */
export type MintAccessTokenInput = ClaimsToWrite & { readonly issuerKey: IssuerKeyPair };

/**
 * Mints an access token: a compact JWS that opens one site's door for one act on one reservation, once, or
 * those of a bundle, each once. The same input gives the same
 * token. `notBeforeMs` and `expiresAtMs` are cut to whole seconds.
 *
 * Throws a RangeError where a claim is out of its range, where it would be good for longer than 14 days, or where the token would be
 * longer than 320 characters.
 */
export async function mintAccessToken(input: MintAccessTokenInput): Promise<string> {
  const type = accessTokenTypes.get(input.act);
  if (type === undefined) throw new RangeError(`act ${input.act} has no access token`);
  if (input.isDelegated && input.act !== Act.COLLECT) throw new RangeError(`act ${input.act} is not delegated, only to collect is`);
  const claims = writeClaims(input);
  const lifetimeMs = (claims.exp - claims.nbf) * 1000;
  if (lifetimeMs > accessTokenMaxLifetimeMs) {
    throw new RangeError(`the token would be good for ${lifetimeMs} ms; at most ${accessTokenMaxLifetimeMs} ms are allowed`);
  }
  const { keyId, privateJwk } = input.issuerKey;
  const token = await signCompact(
    privateJwk,
    { alg: tokenAlgorithm, typ: input.isDelegated ? delegateTokenType : type, kid: keyId },
    claims,
  );
  if (token.length > accessTokenMaxLength) {
    throw new RangeError(`the token would have ${token.length} characters; at most ${accessTokenMaxLength} are allowed`);
  }
  return token;
}
