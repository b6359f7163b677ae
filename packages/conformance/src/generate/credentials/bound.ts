/** Common parts of the vectors for tokens bound to a key: holder, challenge, token and proof. */

import { base64url, framed, holderHashOf, keyNamed, sha256, signText, type VectorKey } from "../signing.ts";
import { claims, headerText, siteId, tokenOf } from "./scene.ts";

/** The holder of the tokens. */
export const holder = keyNamed("a courier");

const { aud, sub, nbf, exp, sz } = claims;

/** The claims of the scene's token, bound to the holder's key. */
export const boundClaims = { aud, sub, cnf: holderHashOf(holder.publicKey), nbf, exp, sz };

/** The claims of a token for SERVICE at any door of the scene's site. */
export const serviceClaims = { aud, sub: "", cnf: boundClaims.cnf, nbf, exp };

/** A challenge derived from a name. */
export function challengeNamed(name: string): string {
  return base64url(sha256(`petak test vectors: ${name}`).subarray(0, 16));
}

/** The challenge that the site has just issued. */
export const challenge = challengeNamed("a challenge");

/** The state of the site that issued it. */
export const given = { challenges: [{ challenge, age_ms: 5000 }] };

/** A token bound to a key, with the id derived from its claims. */
export interface BoundToken {
  token: string;
  id: string;
}

/** A token of a type and claims. */
export function boundToken(type: string, said: object): BoundToken {
  const payload = JSON.stringify(said);
  const id = base64url(sha256(framed("petak-bound-token-id", type, payload)).subarray(0, 16));
  return { token: tokenOf(headerText(type), payload), id };
}

/** Parts of a proof. Default: the scene's. */
export interface Facts {
  site?: string;
  challenge?: string;
  /** The named challenge, if it differs from the signed one. */
  named?: string;
  door?: string;
  purpose?: string;
  key?: VectorKey;
  /** The named key, if it differs from the signing one. */
  publicKey?: Uint8Array;
  sign?: (message: Buffer, key: VectorKey) => Buffer;
}

/** The text that a holder signs. */
export function messageOf(tokenId: string, { site = siteId, purpose = "petak-presence", door = "", ...facts }: Facts = {}): Buffer {
  return framed(purpose, site, facts.challenge ?? challenge, tokenId, door);
}

/** A presence proof, valid or not. */
export function proofOf(tokenId: string, facts: Facts = {}): string {
  const { key = holder, sign = signText } = facts;
  const named = facts.named ?? facts.challenge ?? challenge;
  return [named, base64url(facts.publicKey ?? key.publicKey), base64url(sign(messageOf(tokenId, facts), key))].join(".");
}
