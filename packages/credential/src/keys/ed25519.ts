import { signWithJwk } from "#platform/sign-with-jwk";
import type { Bytes } from "../bytes/bytes.ts";
import { createImportedKeys } from "./imported-keys.ts";
import { type Ed25519PrivateJwk, publicKeyOf } from "./private-jwk.ts";
import { type CryptoKey, isCryptoKey, type SigningKey } from "./signing-key.ts";

/** A pair of Ed25519 keys. */
export interface Ed25519KeyPair {
  readonly privateJwk: Ed25519PrivateJwk;
  /** The public half: 32 bytes. */
  readonly publicKey: Bytes;
}

/** Recently used public keys: an agent's key verifies each of its reports. */
const publicKeys = createImportedKeys(4096, (publicKey) =>
  crypto.subtle.importKey("raw", new Uint8Array(publicKey), "Ed25519", false, ["verify"]),
);

/** Generates a pair of Ed25519 keys. */
export async function generateKeyPair(): Promise<Ed25519KeyPair> {
  const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);
  if (!("privateKey" in pair)) throw new TypeError("the platform did not return a key pair for Ed25519");
  const { x = "", d = "" } = await crypto.subtle.exportKey("jwk", pair.privateKey);
  const privateJwk = { kty: "OKP", crv: "Ed25519", x, d } as const;
  return { privateJwk, publicKey: publicKeyOf(privateJwk) };
}

/**
 * Signs with Ed25519 (RFC 8032): 64 bytes, the same for the same key and message. Rejects with a TypeError if a JWK is not a private Ed25519 key, and with
 * WebCrypto's error if a CryptoKey may not sign.
 */
export function signEd25519(key: SigningKey, message: Bytes): Promise<Bytes> {
  return isCryptoKey(key) ? signWithCryptoKey(key, message) : signWithJwk(key, message);
}

async function signWithCryptoKey(key: CryptoKey, message: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.sign("Ed25519", key, message));
}

/**
 * Whether an Ed25519 signature is valid. False also for a key or signature of the wrong length and for a key that is not a point of the curve. The caller must
 * refuse points of low order.
 */
export async function verifyEd25519(publicKey: Uint8Array, signature: Uint8Array, message: Bytes): Promise<boolean> {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  try {
    // In another thread on purpose: verifying takes five times as long as the round trip.
    return await crypto.subtle.verify("Ed25519", await publicKeys.imported(publicKey), new Uint8Array(signature), message);
  } catch {
    return false;
  }
}
