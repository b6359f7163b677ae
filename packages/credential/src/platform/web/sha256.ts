import type { Bytes } from "../../bytes/bytes.ts";

const encoder = new TextEncoder();

/** SHA-256 of bytes, or of a text in UTF-8: 32 bytes. */
export async function sha256(message: Bytes | string): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", typeof message === "string" ? encoder.encode(message) : message));
}
