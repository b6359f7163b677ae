import * as base64url from "jose/base64url";

/** Writes bytes in base64url without padding (RFC 4648 §5). */
export function encodeBase64url(bytes: Uint8Array): string {
  return base64url.encode(bytes);
}
