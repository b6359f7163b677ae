import { create } from "@bufbuild/protobuf";
import { type Timestamp, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { type TrustBundle, TrustBundleSchema } from "@petak/protocol";
import type { IssuerPublicKey } from "../keys/issuer-key.ts";

/** What goes into a trust bundle. */
export interface CreateTrustBundleInput {
  /** Grows with every change. */
  version: bigint;
  /**
   * The keys: the one that signs now, and with it at the most one other: the one that will sign next, told in advance, or the one that
   * signed before, with the time in ms until when tokens signed with it are still good. Without a time a key is relied on as long as the bundle.
   */
  keys: readonly (IssuerPublicKey & { notAfterMs?: number })[];
  /** The gateway's clock, in ms. */
  issuedAtMs: number;
  /** After this the agent relies on no key of the bundle, in ms. An agent that stays offline for longer opens for no token. */
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
 * Whether an agent that has a trust bundle should put an offered one in its place: one of the same version, which lives longer, or of a newer
 * one; an older one, from a gateway that has not read the newest keys, only once its own has expired.
 */
export function supersedes(offered: TrustBundle, held: TrustBundle | undefined, nowMs: number): boolean {
  return held === undefined || offered.version >= held.version || isBundleExpired(held, nowMs);
}

/** Whether the bundle's time has passed, by a clock in ms. A bundle without a `not_after` has passed. */
export function isBundleExpired(bundle: TrustBundle, nowMs: number): boolean {
  return hasPassed(bundle.notAfter, nowMs);
}

/** The public key that a bundle has under an id, if it may be relied on now. A key without a `not_after` may not. */
export function findIssuerKey(bundle: TrustBundle, keyId: string, nowMs: number): Uint8Array | "UNKNOWN" | "EXPIRED" {
  const key = bundle.issuerKeys.find((candidate) => candidate.keyId === keyId);
  if (key === undefined) return "UNKNOWN";
  return hasPassed(key.notAfter, nowMs) ? "EXPIRED" : key.publicKey;
}

function hasPassed(until: Timestamp | undefined, nowMs: number): boolean {
  return until === undefined || timestampMs(until) <= nowMs;
}
