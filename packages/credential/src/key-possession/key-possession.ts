import type { ModeName } from "@petak/protocol";
import { type CompactFault, readCompact } from "../jws/read-compact.ts";
import { signCompact } from "../jws/sign-compact.ts";
import { verifyEd25519 } from "../keys/ed25519.ts";
import type { SigningKey } from "../keys/signing-key.ts";
import { tokenAlgorithm } from "../request-token/request-token.ts";

/** The `typ` of a possession proof. */
export const keyPossessionType = "petak-key-possession+jwt";

/** One registration of a key. */
export interface KeyRegistration {
  /** The participant that will own the key: `sub`. */
  participantId: string;
  mode: ModeName;
  /** For an agent's key: its site. Empty for a key of the participant itself. */
  siteId: string;
  /** The `request_id` of RegisterKey. */
  requestId: string;
}

/** What is wrong with a possession proof. */
export type KeyPossessionFault = CompactFault | "aud" | "sub" | "mode" | "site_id" | "request_id" | "signature";

/** The longest possession proof, in characters. One has about 400. */
const possessionMaxLength = 2048;

/**
 * Signs, with the key that is to be registered, that its holder wants this registration: a compact JWS. It has no end: it is good for nothing but this one
 * registration.
 *
 * @param audience the gateway's audience
 */
export function signKeyPossession(privateKey: SigningKey, audience: string, registration: KeyRegistration): Promise<string> {
  const { participantId, mode, siteId, requestId } = registration;
  return signCompact(
    privateKey,
    { typ: keyPossessionType, alg: tokenAlgorithm },
    { aud: audience, sub: participantId, mode, site_id: siteId, request_id: requestId },
  );
}

/** Returns what is wrong with a possession proof. Undefined if the key in question signed it for this registration. Never throws. */
export async function judgeKeyPossession(
  proof: string,
  publicKey: Uint8Array,
  audience: string,
  registration: KeyRegistration,
): Promise<KeyPossessionFault | undefined> {
  const read = readCompact(proof, keyPossessionType, possessionMaxLength);
  if (typeof read === "string") return read;
  const { claims, signature, signed } = read;
  const { participantId, mode, siteId, requestId } = registration;
  const expected = { aud: audience, sub: participantId, mode, site_id: siteId, request_id: requestId };
  for (const [name, value] of Object.entries(expected)) if (claims[name] !== value) return name as keyof typeof expected;
  return (await verifyEd25519(publicKey, signature, signed)) ? undefined : "signature";
}
