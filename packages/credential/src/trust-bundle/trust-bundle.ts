import { create } from "@bufbuild/protobuf";
import { type Timestamp, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { type TrustBundle, TrustBundleSchema } from "@petak/protocol";
import type { IssuerPublicKey } from "../keys/issuer-key.ts";

/** What goes into a trust bundle. */
export interface CreateTrustBundleInput {
  /** Grows with every change. */
  version: bigint;
  /** The key that signs now. It is relied on as long as the bundle. */
  current: IssuerPublicKey;
  /**
   * The key that signed before, and until when tokens signed with it are still good, in ms: the change of epochs plus the longest life
   * of a token. Undefined: there was none.
   */
  previous?: IssuerPublicKey & { notAfterMs: number };
  /** The gateway's clock, in ms. */
  issuedAtMs: number;
  /** After this the agent relies on no key of the bundle, in ms. An agent that stays offline for longer opens for no token. */
  notAfterMs: number;
}

/** Makes a trust bundle: the epoch in force, and the one before. */
export function createTrustBundle(input: CreateTrustBundleInput): TrustBundle {
  const { current, previous, notAfterMs } = input;
  const keys = [{ ...current, notAfterMs }];
  if (previous !== undefined) keys.push({ ...previous, notAfterMs: Math.min(previous.notAfterMs, notAfterMs) });
  return create(TrustBundleSchema, {
    version: input.version,
    issuerKeys: keys.map(({ keyId, publicKey, notAfterMs: until }) => ({
      keyId,
      publicKey: new Uint8Array(publicKey),
      notAfter: timestampFromMs(until),
    })),
    issuedAt: timestampFromMs(input.issuedAtMs),
    notAfter: timestampFromMs(notAfterMs),
  });
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
