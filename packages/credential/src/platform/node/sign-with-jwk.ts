import { createPrivateKey, createPublicKey, type KeyObject, sign } from "node:crypto";
import type { Bytes } from "../../bytes/bytes.ts";
import { type Ed25519PrivateJwk, publicKeyOf } from "../../keys/private-jwk.ts";

/** Imported private keys by the JWK object they came from: importing costs as much as signing. */
const importedKeys = new WeakMap<Ed25519PrivateJwk, KeyObject>();

/**
 * Signs with Ed25519: 64 bytes. Rejects with a TypeError if the JWK is not a private Ed25519 key. Runs on the calling thread: a signature takes no longer
 * than a round trip to another thread.
 */
export async function signWithJwk(privateJwk: Ed25519PrivateJwk, message: Bytes): Promise<Bytes> {
  let key = importedKeys.get(privateJwk);
  if (key === undefined) {
    publicKeyOf(privateJwk);
    const { kty, crv, x, d } = privateJwk;
    key = createPrivateKey({ format: "jwk", key: { kty, crv, x, d } });
    // Node derives the public half from the private one and ignores `x`.
    if (createPublicKey(key).export({ format: "jwk" }).x !== x)
      throw new TypeError("the public and the private half of the key do not match");
    importedKeys.set(privateJwk, key);
  }
  return new Uint8Array(sign(null, message, key));
}
