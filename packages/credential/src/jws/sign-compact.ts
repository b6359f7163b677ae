import { encodeBase64url } from "../bytes/base64url.ts";
import { type Ed25519PrivateJwk, signEd25519 } from "../keys/ed25519.ts";

const encoder = new TextEncoder();

/** Signs header and claims as a compact JWS (RFC 7515 §7.1), members in the order given and without spaces. */
export async function signCompact(privateJwk: Ed25519PrivateJwk, header: object, claims: object): Promise<string> {
  const signed = `${encodeBase64url(encoder.encode(JSON.stringify(header)))}.${encodeBase64url(encoder.encode(JSON.stringify(claims)))}`;
  return `${signed}.${encodeBase64url(await signEd25519(privateJwk, encoder.encode(signed)))}`;
}
