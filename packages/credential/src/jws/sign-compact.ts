import { encodeBase64url } from "../bytes/base64url.ts";
import { signEd25519 } from "../keys/ed25519.ts";
import type { SigningKey } from "../keys/signing-key.ts";

const encoder = new TextEncoder();

/** The signing input of a compact JWS (RFC 7515 §5.1): header and claims, members in the given order and without spaces. */
export function compactText(header: object, claims: object): string {
  return `${encodeBase64url(encoder.encode(JSON.stringify(header)))}.${encodeBase64url(encoder.encode(JSON.stringify(claims)))}`;
}

/** Signs header and claims as a compact JWS (RFC 7515 §7.1). */
export async function signCompact(key: SigningKey, header: object, claims: object): Promise<string> {
  const signed = compactText(header, claims);
  return `${signed}.${encodeBase64url(await signEd25519(key, encoder.encode(signed)))}`;
}
