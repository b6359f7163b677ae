import { readOwnToken } from "../access-token/judge.ts";
import { decodeBase64url, encodeBase64url } from "../bytes/base64url.ts";
import type { Bytes } from "../bytes/bytes.ts";
import { framed } from "../bytes/digest.ts";
import { signEd25519, verifyEd25519 } from "../keys/ed25519.ts";
import { isLowOrderPoint } from "../keys/low-order.ts";
import { type Ed25519PrivateJwk, publicKeyOf } from "../keys/private-jwk.ts";
import { holderKeyHash } from "./holder-key.ts";
import type { PresenceRefusal } from "./refusals.ts";

/** A proof of presence has so many characters: 22 of challenge, 43 of key, 86 of signature, and two dots. */
export const presenceLength = 153;

/** A proof of presence, taken apart. */
export interface Presence {
  /** The site's challenge, as it was shown: 22 characters. */
  readonly challenge: string;
  /** The holder's public key: 32 bytes. */
  readonly publicKey: Bytes;
  /** Over {@link PresenceFacts}: 64 bytes. */
  readonly signature: Bytes;
}

/** What a holder signs. */
export interface PresenceFacts {
  readonly siteId: string;
  readonly challenge: string;
  readonly tokenId: string;
  /** The door that is to open, where the holder says which: SERVICE. Empty otherwise. */
  readonly compartmentId: string;
}

/** What a holder needs to prove that it is there. */
export interface ProvePresenceInput {
  /** The token. It must be bound to the key. */
  token: string;
  /** The challenge that the site shows. */
  challenge: string;
  /** The holder's key. */
  privateJwk: Ed25519PrivateJwk;
  /** SERVICE: the door that is to open. Default the one that the token names. */
  compartmentId?: string;
}

/**
 * Proves to a site that the holder of a token is there now. The site and the token's id are taken from the token and not from whoever asks,
 * so a proof that one site asked for opens at no other. Throws a TypeError where the token is none, or is not bound to the key.
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

/** Takes a proof apart, or undefined where it is none in its one spelling. Nothing of it is believed yet. */
export function readPresence(text: string): Presence | undefined {
  if (text.length !== presenceLength) return undefined;
  const [challenge = "", key64 = "", signature64 = "", ...rest] = text.split(".");
  const [publicKey, signature] = [decodeBase64url(key64), decodeBase64url(signature64)];
  if (rest.length > 0 || decodeBase64url(challenge)?.length !== 16 || publicKey?.length !== 32 || signature?.length !== 64)
    return undefined;
  return { challenge, publicKey, signature };
}

/**
 * Whether the holder of a key proved to be there, or why not. That the challenge is one that the site gave, a moment ago and to nobody
 * before, is the site's to know.
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

/** What is signed. It begins with what it is for, so a signature that the same key made for anything else is none. */
function presenceMessage({ siteId, challenge, tokenId, compartmentId }: PresenceFacts): Bytes {
  return framed("petak-presence", siteId, challenge, tokenId, compartmentId);
}
