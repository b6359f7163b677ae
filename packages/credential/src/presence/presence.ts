import { readOwnToken } from "../access-token/judge.ts";
import { decodeBase64url, encodeBase64url } from "../bytes/base64url.ts";
import type { Bytes } from "../bytes/bytes.ts";
import { framed } from "../bytes/digest.ts";
import { signEd25519, verifyEd25519 } from "../keys/ed25519.ts";
import { isLowOrderPoint } from "../keys/low-order.ts";
import { type Ed25519PrivateJwk, publicKeyOf } from "../keys/private-jwk.ts";
import { holderKeyHash } from "./holder-key.ts";
import type { PresenceRefusal } from "./refusals.ts";

/** Length of a proof of presence, in characters: challenge 22, key 43, signature 86, and two dots. */
export const presenceLength = 153;

/** The parts of a proof of presence. */
export interface Presence {
  /** The site's challenge, as it was shown: 22 characters. */
  readonly challenge: string;
  /** The holder's public key: 32 bytes. */
  readonly publicKey: Bytes;
  /** Signature over {@link PresenceFacts}: 64 bytes. */
  readonly signature: Bytes;
}

/** The facts that a holder signs. */
export interface PresenceFacts {
  readonly siteId: string;
  readonly challenge: string;
  readonly tokenId: string;
  /** SERVICE: the door to open. Empty for other acts. */
  readonly compartmentId: string;
}

export interface ProvePresenceInput {
  /** The token. It must be bound to the key. */
  token: string;
  /** The challenge that the site shows. */
  challenge: string;
  /** The holder's key. */
  privateJwk: Ed25519PrivateJwk;
  /** SERVICE: the door to open. Default: the door that the token names. */
  compartmentId?: string;
}

/**
 * Makes the proof that the holder of a token stands at the site now. Site and token id are taken from the token, so a proof requested by one site opens
 * nothing at another. Throws a TypeError if the token is malformed or not bound to the key.
 */
export async function provePresence({ token, challenge, privateJwk, compartmentId }: ProvePresenceInput): Promise<string> {
  const claims = await readOwnToken(token);
  const publicKey = publicKeyOf(privateJwk);
  if (claims === undefined || claims.holderKeyHash !== (await holderKeyHash(publicKey))) {
    throw new TypeError("the token is not bound to this key");
  }
  const { siteId, tokenId } = claims;
  const message = presenceMessage({ siteId, challenge, tokenId, compartmentId: compartmentId ?? claims.compartmentId ?? "" });
  return [challenge, encodeBase64url(publicKey), encodeBase64url(await signEd25519(privateJwk, message))].join(".");
}

/** Parses a proof without verifying it. Undefined if it is not in canonical form. */
export function readPresence(text: string): Presence | undefined {
  if (text.length !== presenceLength) return undefined;
  const [challenge = "", key64 = "", signature64 = "", ...rest] = text.split(".");
  const [publicKey, signature] = [decodeBase64url(key64), decodeBase64url(signature64)];
  if (rest.length > 0 || decodeBase64url(challenge)?.length !== 16 || publicKey?.length !== 32 || signature?.length !== 64)
    return undefined;
  return { challenge, publicKey, signature };
}

/**
 * Verifies a proof of presence. Undefined: it is valid. The site itself must check that it issued the challenge less than {@link challengeLifetimeMs} ago and
 * that it was not used before.
 */
export async function judgePresence(
  { challenge, publicKey, signature }: Presence,
  holder: { holderKeyHash: string } & Omit<PresenceFacts, "challenge">,
): Promise<PresenceRefusal | undefined> {
  if (isLowOrderPoint(publicKey) || (await holderKeyHash(publicKey)) !== holder.holderKeyHash) return "HOLDER_KEY";
  const { siteId, tokenId, compartmentId } = holder;
  const message = presenceMessage({ siteId, challenge, tokenId, compartmentId });
  return (await verifyEd25519(publicKey, signature, message)) ? undefined : "PRESENCE_SIGNATURE";
}

/** The signed message. It starts with its purpose, so that a signature made by the same key for another purpose does not match. */
function presenceMessage({ siteId, challenge, tokenId, compartmentId }: PresenceFacts): Bytes {
  return framed("petak-presence", siteId, challenge, tokenId, compartmentId);
}
