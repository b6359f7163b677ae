import { sha256 } from "#platform/sha256";
import { encodeBase64url } from "./base64url.ts";
import type { Bytes } from "./bytes.ts";

const encoder = new TextEncoder();

/** HMAC-SHA-256 of a message: 32 bytes. */
export async function hmacSha256(key: Uint8Array, message: Uint8Array): Promise<Bytes> {
  const imported = await crypto.subtle.importKey("raw", new Uint8Array(key), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, new Uint8Array(message)));
}

/**
 * Identifies a credential in reports and events without being usable as one: SHA-256, in base64url, of its id (a token's `jti`, or the base64url of a PIN's
 * keyed hash).
 */
export async function credentialHash(credentialId: string): Promise<string> {
  return encodeBase64url(await sha256(credentialId));
}

/** The first 128 bits of the SHA-256 of bytes, in base64url: enough against second preimages, not against collisions. */
export async function shortHash(bytes: Bytes): Promise<string> {
  return encodeBase64url((await sha256(bytes)).subarray(0, 16));
}

/**
 * Encodes several texts, each preceded by its length, as input of a hash, an HMAC or a signature. Different lists of texts give different bytes. The first text
 * names the purpose.
 */
export function framed(...texts: string[]): Bytes {
  const parts = texts.map((text) => encoder.encode(text));
  const bytes = new Uint8Array(parts.reduce((length, part) => length + 4 + part.length, 0));
  const view = new DataView(bytes.buffer);
  let offset = 0;
  for (const part of parts) {
    view.setUint32(offset, part.length);
    bytes.set(part, offset + 4);
    offset += 4 + part.length;
  }
  return bytes;
}
