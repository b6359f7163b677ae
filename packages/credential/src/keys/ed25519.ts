import type { Bytes } from "../bytes/base64url.ts";
import { decodeBase64url } from "../bytes/base64url.ts";
import { nodeCrypto } from "../platform/node-crypto.ts";
import { createImportedKeys } from "./imported-keys.ts";

type KeyObject = import("node:crypto").KeyObject;

/** A private Ed25519 key as a JWK (RFC 8037). */
export interface Ed25519PrivateJwk {
  readonly kty: "OKP";
  readonly crv: "Ed25519";
  /** The public half, 32 bytes in base64url. */
  readonly x: string;
  /** The private half, 32 bytes in base64url. */
  readonly d: string;
}

/** A pair of Ed25519 keys. */
export interface Ed25519KeyPair {
  readonly privateJwk: Ed25519PrivateJwk;
  /** The public half: 32 bytes. */
  readonly publicKey: Bytes;
}

type ImportedKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/** Imported private keys by the JWK object they came from: importing costs as much as signing. */
const privateKeys = new WeakMap<Ed25519PrivateJwk, Promise<ImportedKey>>();
const nodePrivateKeys = new WeakMap<Ed25519PrivateJwk, KeyObject>();

/** Public keys that verified last: an agent's verifies each of its reports. */
const publicKeys = createImportedKeys(4096, (publicKey) =>
  crypto.subtle.importKey("raw", new Uint8Array(publicKey), "Ed25519", false, ["verify"]),
);

/** A new pair of Ed25519 keys from the system's generator. */
export async function generateKeyPair(): Promise<Ed25519KeyPair> {
  const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);
  if (!("privateKey" in pair)) throw new TypeError("the platform gave no pair of keys for Ed25519");
  const { x = "", d = "" } = await crypto.subtle.exportKey("jwk", pair.privateKey);
  const privateJwk = { kty: "OKP", crv: "Ed25519", x, d } as const;
  return { privateJwk, publicKey: publicKeyOf(privateJwk) };
}

/** The public half of a private key: 32 bytes. Throws a TypeError where the JWK is no private Ed25519 key. */
export function publicKeyOf(privateJwk: Ed25519PrivateJwk): Bytes {
  const publicKey = decodeBase64url(privateJwk.x);
  const seed = decodeBase64url(privateJwk.d);
  if (privateJwk.kty !== "OKP" || privateJwk.crv !== "Ed25519" || publicKey?.length !== 32 || seed?.length !== 32) {
    throw new TypeError('a private key must be a JWK with kty "OKP", crv "Ed25519", and x and d of 32 bytes each in base64url');
  }
  return publicKey;
}

/** Signs with Ed25519 (RFC 8032): 64 bytes, the same for the same key and message. Throws a TypeError where the JWK is no private Ed25519 key. */
export const signEd25519: (privateJwk: Ed25519PrivateJwk, message: Bytes) => Promise<Bytes> =
  nodeCrypto === undefined ? signByWebCrypto : signByNode;

/** Signs where it is called: a signature takes no longer than the way to another thread and back. */
export async function signByNode(privateJwk: Ed25519PrivateJwk, message: Bytes): Promise<Bytes> {
  const { createPrivateKey, createPublicKey, sign } = nodeCrypto as NonNullable<typeof nodeCrypto>;
  let key = nodePrivateKeys.get(privateJwk);
  if (key === undefined) {
    publicKeyOf(privateJwk);
    const { kty, crv, x, d } = privateJwk;
    key = createPrivateKey({ format: "jwk", key: { kty, crv, x, d } });
    // Node reckons the public half from the private one, and does not look at what is there.
    if (createPublicKey(key).export({ format: "jwk" }).x !== x) throw new TypeError("the two halves of a key do not belong together");
    nodePrivateKeys.set(privateJwk, key);
  }
  return new Uint8Array(sign(null, message, key));
}

/** Signs on every runtime. */
export async function signByWebCrypto(privateJwk: Ed25519PrivateJwk, message: Bytes): Promise<Bytes> {
  let key = privateKeys.get(privateJwk);
  if (key === undefined) {
    publicKeyOf(privateJwk);
    const { kty, crv, x, d } = privateJwk;
    key = crypto.subtle.importKey("jwk", { kty, crv, x, d }, "Ed25519", false, ["sign"]);
    privateKeys.set(privateJwk, key);
  }
  return new Uint8Array(await crypto.subtle.sign("Ed25519", await key, message));
}

/**
 * Whether an Ed25519 signature is good. False also for a key or signature of another length, and for a key that is no point of the curve.
 * The caller has refused points of low order.
 */
export async function verifyEd25519(publicKey: Uint8Array, signature: Uint8Array, message: Bytes): Promise<boolean> {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  try {
    // In another thread on purpose: it takes five times as long as the way there and back.
    return await crypto.subtle.verify("Ed25519", await publicKeys.imported(publicKey), new Uint8Array(signature), message);
  } catch {
    return false;
  }
}
