import { hash } from "node:crypto";
import type { Bytes } from "../../bytes/bytes.ts";

/**
 * SHA-256 of bytes, or of a text in UTF-8: 32 bytes. Runs on the calling thread: WebCrypto would use another thread, and that round trip takes ten times
 * as long as the hash.
 */
export async function sha256(message: Bytes | string): Promise<Bytes> {
  return new Uint8Array(hash("sha256", message, "buffer"));
}
