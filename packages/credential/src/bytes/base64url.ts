import * as base64url from "jose/base64url";
import { encodeBase64url } from "#platform/encode-base64url";
import type { Bytes } from "./bytes.ts";

export { encodeBase64url };

/**
 * Decodes base64url without padding. Undefined if the text is not the canonical encoding of its bytes: a foreign character, padding, an impossible length, or
 * stray bits after the last byte. Otherwise one credential could be written in several ways and have several hashes.
 */
export function decodeBase64url(text: string): Bytes | undefined {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) return undefined;
  try {
    const bytes = new Uint8Array(base64url.decode(text));
    return encodeBase64url(bytes) === text ? bytes : undefined;
  } catch {
    return undefined;
  }
}
