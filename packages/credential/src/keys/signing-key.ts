import { type Ed25519PrivateJwk, publicKeyOf } from "./private-jwk.ts";

/** A key that the platform's WebCrypto holds. */
export type CryptoKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/**
 * A private Ed25519 key: a JWK, or a key held by WebCrypto. A web page should hold one that cannot be exported, e.g. in IndexedDB: then a script that
 * gets into the page can sign while it is there and cannot take the key away.
 */
export type SigningKey = Ed25519PrivateJwk | CryptoKey;

/** Whether WebCrypto holds the key. */
export function isCryptoKey(key: SigningKey): key is CryptoKey {
  return "algorithm" in key;
}

/** Throws a TypeError where a key cannot sign with Ed25519. */
export function checkSigningKey(key: SigningKey): void {
  if (!isCryptoKey(key)) {
    publicKeyOf(key);
    return;
  }
  const { algorithm, type, usages } = key;
  if (algorithm.name !== "Ed25519" || type !== "private" || !usages.includes("sign")) {
    throw new TypeError(
      `a CryptoKey that signs must be a private key of Ed25519 with the usage "sign", not a ${type} key of ${algorithm.name}`,
    );
  }
}
