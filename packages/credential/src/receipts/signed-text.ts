import { sha256 } from "#platform/sha256";
import { encodeBase64url } from "../bytes/base64url.ts";
import { signEd25519 } from "../keys/ed25519.ts";
import type { Ed25519PrivateJwk } from "../keys/private-jwk.ts";

const encoder = new TextEncoder();

/** Signs a text with Ed25519: 64 bytes. */
export function signText(privateJwk: Ed25519PrivateJwk, text: string): Promise<Uint8Array<ArrayBuffer>> {
  return signEd25519(privateJwk, encoder.encode(text));
}

/** SHA-256 of a text in base64url: 43 characters. */
export async function hashText(text: string): Promise<string> {
  return encodeBase64url(await sha256(text));
}
