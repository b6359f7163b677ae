import { decodeBase64url } from "../bytes/base64url.ts";
import type { Bytes } from "../bytes/bytes.ts";

/** A private Ed25519 key as a JWK (RFC 8037). */
export interface Ed25519PrivateJwk {
  readonly kty: "OKP";
  readonly crv: "Ed25519";
  /** The public half, 32 bytes in base64url. */
  readonly x: string;
  /** The private half, 32 bytes in base64url. */
  readonly d: string;
}

/** The public half of a private key: 32 bytes. Throws a TypeError if the JWK is not a private Ed25519 key. */
export function publicKeyOf(privateJwk: Ed25519PrivateJwk): Bytes {
  const publicKey = decodeBase64url(privateJwk.x);
  const seed = decodeBase64url(privateJwk.d);
  if (privateJwk.kty !== "OKP" || privateJwk.crv !== "Ed25519" || publicKey?.length !== 32 || seed?.length !== 32) {
    throw new TypeError('a private key must be a JWK with kty "OKP", crv "Ed25519", and x and d of 32 bytes each in base64url');
  }
  return publicKey;
}
