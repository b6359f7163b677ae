import { type Ed25519PrivateJwk, encodeBase64url, requestTokenType, signEd25519, tokenAlgorithm } from "@petak/credential";

/** The signing key and the parties that a token names. */
export interface TokenParts {
  privateJwk: Ed25519PrivateJwk;
  keyId: string;
  participantId: string;
  audience: string;
  /** In s since 1970. */
  issuedAtS: number;
  /** Members of the header that replace the correct ones. */
  header?: Record<string, unknown>;
  /** Members of the claims that replace the correct ones; undefined omits one. */
  claims?: Record<string, unknown>;
}

/** Signs a request token that may be wrong in any way. Returns the Authorization header with it. */
export async function signWrongly({ privateJwk, keyId, participantId, audience, issuedAtS, header, claims }: TokenParts): Promise<string> {
  const encoded = [
    { alg: tokenAlgorithm, typ: requestTokenType, kid: keyId, ...header },
    { iss: participantId, aud: audience, iat: issuedAtS, exp: issuedAtS + 60, ...claims },
  ].map((part) => encodeBase64url(new TextEncoder().encode(JSON.stringify(part))));
  const signed = encoded.join(".");
  return `Bearer ${signed}.${encodeBase64url(await signEd25519(privateJwk, new TextEncoder().encode(signed)))}`;
}
