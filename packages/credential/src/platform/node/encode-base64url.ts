/** Writes bytes in base64url without padding (RFC 4648 §5). Several times as fast as in JavaScript. */
export function encodeBase64url({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("base64url");
}
