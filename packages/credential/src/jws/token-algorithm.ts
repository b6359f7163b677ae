/** The only `alg` of the protocol's tokens: Ed25519 (RFC 8037). Verifiers require it and never select an algorithm by the token. */
export const tokenAlgorithm = "EdDSA";
