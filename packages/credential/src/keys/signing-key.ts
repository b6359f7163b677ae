import { type Ed25519PrivateJwk, publicKeyOf } from "./private-jwk.ts";

/** A key held by WebCrypto. */
export type CryptoKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/**
 * A private Ed25519 key: a JWK, or a key held by WebCrypto. A web page should use a key that cannot be exported, e.g. in IndexedDB: an injected script can then
 * sign while the page is open, but cannot steal the key.
 */
export type SigningKey = Ed25519PrivateJwk | CryptoKey;

/** Whether WebCrypto holds the key. */
export function isCryptoKey(key: SigningKey): key is CryptoKey {
  return "algorithm" in key;
}

/** Throws a TypeError if a key cannot sign with Ed25519. */
export function checkSigningKey(key: SigningKey): void {
  if (!isCryptoKey(key)) {
    publicKeyOf(key);
    return;
  }
  const { algorithm, type, usages } = key;
  if (algorithm.name !== "Ed25519" || type !== "private" || !usages.includes("sign")) {
    throw new TypeError(`a signing CryptoKey must be a private Ed25519 key with the usage "sign", not a ${type} key of ${algorithm.name}`);
  }
}
