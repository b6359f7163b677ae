import { base64url } from "jose";

/** Bytes as WebCrypto takes them: never over shared memory. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** Writes bytes in base64url without padding (RFC 4648 §5). */
export const encodeBase64url: (bytes: Uint8Array) => string =
  // Node's is several times as fast.
  globalThis.Buffer === undefined
    ? (bytes) => base64url.encode(bytes)
    : ({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength).toString("base64url");

/**
 * Reads base64url without padding, or undefined where the text is not the one spelling of its bytes: a foreign character, padding,
 * an impossible length, or stray bits after the last byte. One spelling only, because a credential that could be respelt would have
 * several hashes.
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
