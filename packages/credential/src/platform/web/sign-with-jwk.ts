import type { Bytes } from "../../bytes/bytes.ts";
import { type Ed25519PrivateJwk, publicKeyOf } from "../../keys/private-jwk.ts";
import type { CryptoKey } from "../../keys/signing-key.ts";

/** Imported private keys by the JWK object they came from: importing costs as much as signing. */
const importedKeys = new WeakMap<Ed25519PrivateJwk, Promise<CryptoKey>>();

/** Signs with Ed25519: 64 bytes. Rejects with a TypeError if the JWK is not a private Ed25519 key. */
export async function signWithJwk(privateJwk: Ed25519PrivateJwk, message: Bytes): Promise<Bytes> {
  let key = importedKeys.get(privateJwk);
  if (key === undefined) {
    publicKeyOf(privateJwk);
    const { kty, crv, x, d } = privateJwk;
    key = crypto.subtle.importKey("jwk", { kty, crv, x, d }, "Ed25519", false, ["sign"]);
    importedKeys.set(privateJwk, key);
  }
  return new Uint8Array(await crypto.subtle.sign("Ed25519", await key, message));
}
