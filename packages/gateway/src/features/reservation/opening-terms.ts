import type { CredentialValidity, IssuedCredential } from "./credential-issuer.ts";

/**
 * The terms of a credential that opens. A token that is bound to a key has no id of its own: one that was issued, and revoked, in the same second would be
 * this one as well. Then it begins a second later, which every door's skew lets pass.
 *
 * @param revoked the hashes of those that open nothing any more
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
