import { calculateJwkThumbprint } from "jose/jwk/thumbprint";
import { decodeBase64url, encodeBase64url } from "../bytes/base64url.ts";

/**
 * The hash by which a token names the key of its holder: the first 128 bits of the key's RFC 7638 thumbprint, in base64url. The whole
 * thumbprint does not fit into the token and is not needed: an impostor would have to find a key with the same 128 bits.
 *
 * @param publicKey 32 bytes of Ed25519
 */
export async function holderKeyHash(publicKey: Uint8Array): Promise<string> {
  const thumbprint = await calculateJwkThumbprint({ kty: "OKP", crv: "Ed25519", x: encodeBase64url(publicKey) });
  return encodeBase64url((decodeBase64url(thumbprint) ?? new Uint8Array()).subarray(0, 16));
}
