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
 * The name under which reports and events speak of a credential: SHA-256 of its id (a token's `jti`, or for a PIN the base64url of its
 * keyed hash), in base64url. It says which credential it was and opens nothing.
 */
export async function credentialHash(credentialId: string): Promise<string> {
  return encodeBase64url(await sha256(credentialId));
}

/** The first 128 bits of the SHA-256 of bytes, in base64url: enough where somebody would have to find other bytes with the same. */
export async function shortHash(bytes: Bytes): Promise<string> {
  return encodeBase64url((await sha256(bytes)).subarray(0, 16));
}

/**
 * Bytes for a hash, an HMAC or a signature over several texts, each preceded by its length, so that no two lists of texts give the same bytes. The first names
 * what they are for.
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
