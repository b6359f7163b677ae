import { create } from "@bufbuild/protobuf";
import { type Timestamp, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { type TrustBundle, TrustBundleSchema } from "@petak/protocol";
import type { IssuerPublicKey } from "../keys/issuer-key.ts";

/** Longest time for which an agent relies on a trust bundle from when it was given it, in ms. */
export const trustBundleLifetimeMs = 7 * 86_400_000;

/** How far the version of a trust bundle, the second at which its keys changed, may be ahead of the agent's clock, in ms: clocks differ. */
const versionAheadMs = 3_600_000;

export interface CreateTrustBundleInput {
  /** Grows with every change. */
  version: bigint;
  /**
   * The key that signs now, and at most one other: the next one, announced in advance, or the previous one, with the time in ms until which its tokens are
   * valid. Without a time a key is trusted as long as the bundle.
   */
  keys: readonly (IssuerPublicKey & { notAfterMs?: number; certificate?: string })[];
  /** Revocations by the operator's root key. Default: none. */
  revocations?: readonly string[];
  /** The gateway's clock, in ms. */
  issuedAtMs: number;
  /** End of the bundle's validity, in ms. An agent that stays offline for longer accepts no token. */
  notAfterMs: number;
}

/** Makes a trust bundle. */
export function createTrustBundle({ version, keys, revocations = [], issuedAtMs, notAfterMs }: CreateTrustBundleInput): TrustBundle {
  return create(TrustBundleSchema, {
    version,
    issuerKeys: keys.map(({ keyId, publicKey, notAfterMs: until = notAfterMs, certificate = "" }) => ({
      keyId,
      publicKey: new Uint8Array(publicKey),
      notAfter: timestampFromMs(Math.min(until, notAfterMs)),
      certificate,
    })),
    revocations: [...revocations],
    issuedAt: timestampFromMs(issuedAtMs),
    notAfter: timestampFromMs(notAfterMs),
  });
}

/**
 * Whether an agent should replace its trust bundle by an offered one: if the offered version is the same (it is valid for longer) or newer. An older one, from
 * a gateway that has not read the newest keys yet, only once the held one has expired, or turns out to be of the future: it came with a false time then.
 */
export function supersedes(offered: TrustBundle, held: TrustBundle | undefined, nowMs: number): boolean {
  return held === undefined || offered.version >= held.version || isOfFuture(held, nowMs) || isBundleExpired(held, nowMs);
}

/**
 * A trust bundle as an agent may rely on it: no key of it for longer than 7 days from when it was given, whatever it says. So one false answer ends by itself.
 *
 * @param nowMs when it was given, in ms
 * @returns undefined: its version lies in the future, where it would keep out true ones
 */
export function limitTrust(bundle: TrustBundle, nowMs: number): TrustBundle | undefined {
  return isOfFuture(bundle, nowMs) ? undefined : limitTimes(bundle, nowMs);
}

/** A trust bundle without any end that is more than 7 days after a time in ms. */
export function limitTimes(bundle: TrustBundle, nowMs: number): TrustBundle {
  const latestMs = nowMs + trustBundleLifetimeMs;
  const limited = (until: Timestamp | undefined) => until && timestampFromMs(Math.min(timestampMs(until), latestMs));
  return create(TrustBundleSchema, {
    ...bundle,
    issuerKeys: bundle.issuerKeys.map((key) => ({ ...key, notAfter: limited(key.notAfter) })),
    notAfter: limited(bundle.notAfter),
  });
}

/**
 * Whether the version of a bundle, the second at which its keys changed, has not come yet. So a version rises by no more than the time that has passed, and an hour.
 */
function isOfFuture({ version }: TrustBundle, nowMs: number): boolean {
  return version > BigInt(Math.floor((nowMs + versionAheadMs) / 1000));
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
