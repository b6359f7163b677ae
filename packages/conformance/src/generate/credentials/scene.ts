/** The common scene of the vectors: one site at one time, with two issuer keys. Each vector changes parts of it. */

import type {
  CredentialOutcome,
  CredentialVector,
  VectorBundle,
  VectorLockOut,
  VectorState,
  VectorVisit,
} from "../../vectors/credential-vector.ts";
import { base64url, keyNamed, sha256, signText, type VectorKey } from "../signing.ts";
import { audienceOf } from "./site-audience.ts";

/** 24 November 2026, 12:00 UTC. */
export const nowS = 1_795_521_600;
export const nowMs = nowS * 1000;
export const skewS = 300;
export const hourS = 3600;
export const dayS = 86_400;

export const siteId = "site_83652b_k3v9c0x2md00004k";
/** Another site of the same region and store. */
export const otherSiteId = "site_83652b_k3v9c0x2md00004m";
/** The site with the greatest number. */
export const lastSiteId = "site_83652b_k3v9c0x2mdzzzzzz";
export const reservationId = "res_83652b_8xk2m4p9q7w3t5z1";
export const otherReservationId = "res_83652b_1z5t3w7q9p4m2kx8";
export const thirdReservationId = "res_83652b_4m2kx81z5t3w7q9p";
export const bundleId = "bdl_83652b_5t8yq2m4p9w7z3x1";

/** The present and the previous epoch. */
export const currentKey = keyNamed("the epoch in force");
export const previousKey = keyNamed("the epoch before");

/** The site's key for PINs, and a PIN with its hash under that key. */
export const pinKey = sha256("petak test vectors: the site's pin_key");
export const pin = "40404040";

export const noLockOut: VectorLockOut = { failures: 0, last_failure_ms: 0, locked_until_ms: 0 };

export const bundle: VectorBundle = {
  version: nowS - 10 * dayS,
  issuer_keys: [
    { key_id: currentKey.keyId, public_key: base64url(currentKey.publicKey), not_after_ms: (nowS + 6 * dayS) * 1000 },
    { key_id: previousKey.keyId, public_key: base64url(previousKey.publicKey), not_after_ms: (nowS + 4 * dayS) * 1000 },
  ],
  issued_at_ms: (nowS - dayS) * 1000,
  not_after_ms: (nowS + 6 * dayS) * 1000,
};

const state: VectorState = {
  site: { lifecycle: "ACTIVE", draining: false },
  spent: [],
  to_collect: [],
  challenges: [],
  visits: [],
  lock_out: noLockOut,
  pins: [],
  bundles: [],
  revoked: [],
  inside: [],
  over: [],
  ended: [],
  compartments: [],
  free_size_classes: [0, 1, 2],
};

/** The claims of the scene's token, in their order. */
export const claims = {
  aud: audienceOf(siteId),
  sub: "8xk2m4p9q7w3t5z1",
  jti: tokenIdNamed("the token"),
  nbf: nowS - hourS,
  exp: nowS + hourS,
  sz: 2,
};

/** The claims of a bundle's token, in their order. */
export const bundleClaims = { aud: claims.aud, bdl: "5t8yq2m4p9w7z3x1", jti: claims.jti, nbf: claims.nbf, exp: claims.exp };

/**
 * The claims of a token for the year 1970. Its times are short, so that additions fit into 320 characters and the length is not the reason of the refusal.
 */
export const earlyClaims = { ...claims, nbf: 1, exp: 200 };

/** The time of {@link earlyClaims}. */
export const early = { now_ms: 100_000 };

/** A vector's changes of the scene. */
export interface Changes extends Partial<Omit<CredentialVector, "state">> {
  state?: Partial<VectorState>;
}

/** A token id derived from a name. */
export function tokenIdNamed(name: string): string {
  return base64url(sha256(`petak test vectors: ${name}`).subarray(0, 16));
}

/** The JSON of a token's header. */
export function headerText(type = "petak-deposit", key: VectorKey = currentKey): string {
  return JSON.stringify({ alg: "EdDSA", typ: type, kid: key.keyId });
}

/** Signs a token with any header and claims. */
export function tokenOf(header: Uint8Array | string, payload: Uint8Array | string, key: VectorKey = currentKey): string {
  const signed = `${base64url(header)}.${base64url(payload)}`;
  return `${signed}.${base64url(signText(signed, key))}`;
}

/** A token of the scene, with changed claims. */
export function token(changes: object = {}, type = "petak-deposit", key: VectorKey = currentKey): string {
  return tokenOf(headerText(type, key), JSON.stringify({ ...claims, ...changes }), key);
}

/** A bundle's token of the scene, with changed claims. */
export function bundleToken(changes: object = {}, type = "petak-collect"): string {
  return tokenOf(headerText(type), JSON.stringify({ ...bundleClaims, ...changes }));
}

/** The hash of a credential in reports. */
export function hashOf(credentialId: string): string {
  return base64url(sha256(credentialId));
}

/** Verified facts of a credential. */
export interface Proven {
  act?: string;
  reservationId?: string;
  /** The bundle of the credential, and the reservations whose doors open after the first. */
  bundleId?: string;
  next?: string[];
  delegated?: boolean;
  credentialId?: string;
}

const ofToken = (proven: Proven) => ({
  act: proven.act ?? "DEPOSIT",
  reservation_id: proven.reservationId ?? reservationId,
  bundle_id: proven.bundleId ?? "",
  delegated: proven.delegated ?? false,
  credential_hash: hashOf(proven.credentialId ?? claims.jti),
});

/** The outcome of a credential that opens. */
export function opens(proven: Proven = {}, lockOut: VectorLockOut = noLockOut, reopens = false): CredentialOutcome {
  return { decision: "OPEN", reopens, next: proven.next ?? [], ...ofToken(proven), lock_out: lockOut };
}

/** The outcome of an unverified credential. */
export function refused(refusal: string, lockOut: VectorLockOut = noLockOut): CredentialOutcome {
  const told = refusal === "LOCKED_OUT" ? "PINS_LOCKED" : "NOT_ACCEPTED";
  const nothing = { act: "", reservation_id: "", bundle_id: "", delegated: false, credential_hash: "" };
  return { decision: "REFUSE", refusal, told, ...nothing, lock_out: lockOut };
}

/** What the holder of a good credential is told. */
const toldProven: Readonly<Record<string, "NO_PLACE_FREE" | "NO_DEPOSITS">> = {
  NO_COMPARTMENT: "NO_PLACE_FREE",
  SITE_OUT_OF_SERVICE: "NO_DEPOSITS",
};

/** The outcome of a verified credential that does not open. */
export function refusedProven(refusal: string, proven: Proven = {}, lockOut: VectorLockOut = noLockOut): CredentialOutcome {
  const told = toldProven[refusal] ?? "NOT_ACCEPTED";
  return { decision: "REFUSE", refusal, told, ...ofToken(proven), lock_out: lockOut };
}

/** Makes a vector from the changed scene. */
export function vector(
  id: string,
  shows: string,
  credential: CredentialVector["credential"],
  expected: CredentialOutcome,
  changes: Changes = {},
): CredentialVector {
  return {
    id,
    shows,
    trust_bundle: bundle,
    site_id: siteId,
    pin_key: base64url(pinKey),
    now_ms: nowMs,
    clock_trusted: true,
    max_skew_ms: skewS * 1000,
    ...changes,
    state: { ...state, ...changes.state },
    credential,
    expected,
  };
}

/** A door that the scene's token opened and that is closed again, without a detected parcel. */
export function visit(changes: Partial<VectorVisit> = {}): VectorVisit {
  return {
    credential_id: claims.jti,
    reservation_id: reservationId,
    phase: "CLOSED",
    reopenings: 0,
    grace_until_ms: nowMs + 60_000,
    ...changes,
  };
}
