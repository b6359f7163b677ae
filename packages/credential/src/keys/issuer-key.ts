import { calculateJwkThumbprint } from "jose/jwk/thumbprint";
import { encodeBase64url } from "../bytes/base64url.ts";
import type { Bytes } from "../bytes/bytes.ts";
import { generateKeyPair } from "./ed25519.ts";
import { type Ed25519PrivateJwk, publicKeyOf } from "./private-jwk.ts";

/** The keys with which a gateway signs access tokens during one epoch. */
export interface IssuerKeyPair {
  /** Four characters: the token's `kid`. See {@link issuerKeyId}. */
  readonly keyId: string;
  /** 32 bytes. */
  readonly publicKey: Bytes;
  readonly privateJwk: Ed25519PrivateJwk;
}

/** The public half of an issuer's keys. */
export interface IssuerPublicKey {
  readonly keyId: string;
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
}

/** One key of a {@link Jwks}. */
export interface IssuerJwk {
  readonly kty: "OKP";
  readonly crv: "Ed25519";
  readonly x: string;
  readonly kid: string;
  readonly use: "sig";
  readonly alg: "EdDSA";
}

/** A JSON Web Key Set (RFC 7517) of issuer keys, as published at `/.well-known/petak/jwks.json`. */
export interface Jwks {
  readonly keys: readonly IssuerJwk[];
}

/** Characters of a key id: 24 bits distinguish the two keys of a bundle, and a token has no room for more. */
export const issuerKeyIdLength = 4;

/** The key id of a public key: the first four characters of its RFC 7638 thumbprint. */
export async function issuerKeyId(publicKey: Uint8Array): Promise<string> {
  const thumbprint = await calculateJwkThumbprint({ kty: "OKP", crv: "Ed25519", x: encodeBase64url(publicKey) });
  return thumbprint.slice(0, issuerKeyIdLength);
}

/**
 * Generates an issuer key whose id is not in `takenKeyIds`, and does not begin with a hyphen: a command line would take it for an option. Key ids are short, so two
 * keys can have the same one. Pass the ids of every epoch that agents may still hold.
 */
export async function generateIssuerKey(options: { takenKeyIds?: Pick<ReadonlySet<string>, "has"> } = {}): Promise<IssuerKeyPair> {
  for (;;) {
    const key = await issuerKeyFrom((await generateKeyPair()).privateJwk);
    if (!key.keyId.startsWith("-") && options.takenKeyIds?.has(key.keyId) !== true) return key;
  }
}

/** Issuer keys from a stored private key. Throws a TypeError if it is not a private Ed25519 key. */
export async function issuerKeyFrom(privateJwk: Ed25519PrivateJwk): Promise<IssuerKeyPair> {
  const publicKey = publicKeyOf(privateJwk);
  return { keyId: await issuerKeyId(publicKey), publicKey, privateJwk };
}

/** The public halves as a key set, in the order given. */
export function toJwks(keys: readonly IssuerPublicKey[]): Jwks {
  return {
    keys: keys.map(({ keyId, publicKey }) => ({
      kty: "OKP",
      crv: "Ed25519",
      x: encodeBase64url(publicKey),
      kid: keyId,
      use: "sig",
      alg: "EdDSA",
    })),
  };
}
