import type { CredentialValidity, IssuedCredential } from "./credential-issuer.ts";

/**
 * Adjusts the terms of a credential so that it is not revoked already. A token that is bound to a key has no random id: it equals a token that was issued
 * and revoked for the same purpose in the same second. In that case its validity begins a second later, which the clock skew that doors allow covers.
 *
 * @param revoked hashes of the revoked credentials
 */
export async function openingTerms<Terms extends CredentialValidity>(
  wanted: Terms,
  revoked: readonly string[],
  issue: (terms: Terms) => Promise<Pick<IssuedCredential, "credentialHash">>,
): Promise<Terms> {
  if (revoked.length === 0) return wanted;
  let terms = wanted;
  while (terms.notBeforeS + 1 < terms.expiresAtS && revoked.includes((await issue(terms)).credentialHash)) {
    terms = { ...terms, notBeforeS: terms.notBeforeS + 1 };
  }
  return terms;
}
