import { nodeCrypto } from "../platform/node-crypto.ts";
import type { Bytes } from "./base64url.ts";

const encoder = new TextEncoder();

/** SHA-256 of bytes, or of a text in UTF-8: 32 bytes. */
export const sha256: (message: Bytes | string) => Promise<Bytes> = nodeCrypto === undefined ? sha256ByWebCrypto : sha256ByNode;

/** That of Node. */
export async function sha256ByNode(message: Bytes | string): Promise<Bytes> {
  const { hash } = nodeCrypto as NonNullable<typeof nodeCrypto>;
  return new Uint8Array(hash("sha256", message, "buffer"));
}

/** That of every runtime. */
export async function sha256ByWebCrypto(message: Bytes | string): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", typeof message === "string" ? encoder.encode(message) : message));
}
