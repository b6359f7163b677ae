/** What the vectors of tokens that are bound to a key share: the holder, its challenge, its token and its proof. */

import { base64url, framed, holderHashOf, keyNamed, sha256, signText, type VectorKey } from "../signing.ts";
import { claims, headerText, siteId, tokenOf } from "./scene.ts";

/** Whose the tokens are. */
export const holder = keyNamed("a courier");

const { aud, sub, nbf, exp, sz } = claims;

/** The claims of the scene's token, bound to the holder's key. */
export const boundClaims = { aud, sub, cnf: holderHashOf(holder.publicKey), nbf, exp, sz };

/** The claims of a token for work at the scene's site, at whatever door. */
export const serviceClaims = { aud, sub: "", cnf: boundClaims.cnf, nbf, exp };

/** What the site asks to be signed: the same name gives the same challenge. */
export function challengeNamed(name: string): string {
  return base64url(sha256(`petak test vectors: ${name}`).subarray(0, 16));
}

/** The challenge that the site gave a moment ago. */
export const challenge = challengeNamed("a challenge");

/** What a site knows that gave it. */
export const given = { challenges: [{ challenge, age_ms: 5000 }] };

/** A token that is bound to a key, with its id, which follows from what it says. */
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

/** What a proof is made from. The scene's, where it is left out. */
export interface Facts {
  site?: string;
  challenge?: string;
  /** The challenge that the proof names, where that is another than the one that is signed. */
  named?: string;
  door?: string;
  purpose?: string;
  key?: VectorKey;
  /** The key that the proof names, where that is another than the one that signs. */
  publicKey?: Uint8Array;
  sign?: (message: Buffer, key: VectorKey) => Buffer;
}

/** What a holder signs. */
export function messageOf(tokenId: string, { site = siteId, purpose = "petak-presence", door = "", ...facts }: Facts = {}): Buffer {
  return framed(purpose, site, facts.challenge ?? challenge, tokenId, door);
}

/** A proof of presence, good or not. */
export function proofOf(tokenId: string, facts: Facts = {}): string {
  const { key = holder, sign = signText } = facts;
  const named = facts.named ?? facts.challenge ?? challenge;
  return [named, base64url(facts.publicKey ?? key.publicKey), base64url(sign(messageOf(tokenId, facts), key))].join(".");
}
