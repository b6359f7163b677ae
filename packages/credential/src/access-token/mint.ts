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

export type MintAccessTokenInput = ClaimsToWrite & { readonly issuerKey: IssuerKeyPair };

/**
 * Mints an access token: a compact JWS that opens a door of one site once, for one act on one reservation, or once for each reservation of a bundle. The same
 * input gives the same token. `notBeforeMs` and `expiresAtMs` are truncated to whole seconds.
 *
 * Throws a RangeError if a claim is out of range, if the validity exceeds 14 days, or if the token exceeds 320 characters.
 */
export async function mintAccessToken(input: MintAccessTokenInput): Promise<string> {
  const type = accessTokenTypes.get(input.act);
  if (type === undefined) throw new RangeError(`act ${input.act} has no access token`);
  if (input.isDelegated && input.act !== Act.COLLECT) throw new RangeError(`act ${input.act} cannot be delegated; only COLLECT can`);
  const claims = writeClaims(input);
  const lifetimeMs = (claims.exp - claims.nbf) * 1000;
  if (lifetimeMs > accessTokenMaxLifetimeMs) {
    throw new RangeError(`the token's validity would be ${lifetimeMs} ms; at most ${accessTokenMaxLifetimeMs} ms are allowed`);
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
