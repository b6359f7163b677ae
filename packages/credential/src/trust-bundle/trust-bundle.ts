import { create } from "@bufbuild/protobuf";
import { type Timestamp, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { type TrustBundle, TrustBundleSchema } from "@petak/protocol";
import type { IssuerPublicKey } from "../keys/issuer-key.ts";

export interface CreateTrustBundleInput {
  /** Grows with every change. */
  version: bigint;
  /**
   * The key that signs now, and at most one other: the next one, announced in advance, or the previous one, with the time in ms until which its tokens are
   * valid. Without a time a key is trusted as long as the bundle.
   */
  keys: readonly (IssuerPublicKey & { notAfterMs?: number })[];
  /** The gateway's clock, in ms. */
  issuedAtMs: number;
  /** End of the bundle's validity, in ms. An agent that stays offline for longer accepts no token. */
  notAfterMs: number;
}

/** Makes a trust bundle. */
export function createTrustBundle({ version, keys, issuedAtMs, notAfterMs }: CreateTrustBundleInput): TrustBundle {
  return create(TrustBundleSchema, {
    version,
    issuerKeys: keys.map(({ keyId, publicKey, notAfterMs: until = notAfterMs }) => ({
      keyId,
      publicKey: new Uint8Array(publicKey),
      notAfter: timestampFromMs(Math.min(until, notAfterMs)),
    })),
    issuedAt: timestampFromMs(issuedAtMs),
    notAfter: timestampFromMs(notAfterMs),
  });
}

/**
 * Whether an agent should replace its trust bundle by an offered one: if the offered version is the same (it is valid for longer) or newer. An older one, from
 * a gateway that has not read the newest keys yet, only once the held one has expired.
 */
export function supersedes(offered: TrustBundle, held: TrustBundle | undefined, nowMs: number): boolean {
  return held === undefined || offered.version >= held.version || isBundleExpired(held, nowMs);
}

/** Whether a bundle has expired at a time in ms. A bundle without `not_after` counts as expired. */
export function isBundleExpired(bundle: TrustBundle, nowMs: number): boolean {
  return hasPassed(bundle.notAfter, nowMs);
}

/** The public key with an id, if it is trusted at a time in ms. A key without `not_after` counts as expired. */
export function findIssuerKey(bundle: TrustBundle, keyId: string, nowMs: number): Uint8Array | "UNKNOWN" | "EXPIRED" {
  const key = bundle.issuerKeys.find((candidate) => candidate.keyId === keyId);
  if (key === undefined) return "UNKNOWN";
  return hasPassed(key.notAfter, nowMs) ? "EXPIRED" : key.publicKey;
}

function hasPassed(until: Timestamp | undefined, nowMs: number): boolean {
  return until === undefined || timestampMs(until) <= nowMs;
}
