import {
  accessTokenMaxLifetimeMs,
  createTrustBundle,
  type IssuerKeyPair,
  type IssuerKeyPeriod,
  revocationsMax,
  trustBundleLifetimeMs,
} from "@petak/credential";
import type { TrustBundle } from "@petak/protocol";
import { certificateOf, type IssuerCertificates, isRevoked } from "./issuer-certificates.ts";

/** A period in which one key signs access tokens. */
export interface IssuerEpoch {
  readonly key: IssuerKeyPair;
  /** When the key was written into the secrets, in ms. 0: unknown. */
  readonly announcedAtMs: number;
  /** When the key starts to sign, in ms: a whole second. 0: from the beginning. */
  readonly signsFromMs: number;
  /** Until when agents trust the key, in ms. Undefined: no other key follows it yet. */
  readonly notAfterMs?: number;
}

/** The epochs that a gateway knows, the older first: one, or two around a rotation in the future or past. */
export type IssuerEpochs = readonly [IssuerEpoch] | readonly [IssuerEpoch, IssuerEpoch];

/**
 * Margin of each wait in a rotation, in ms: for gateways that read the new secrets late (see `secrets-watch.ts`), differences between their clocks, and the
 * skew that agents allow.
 */
export const rotationMarginMs = 3_600_000;

/** Time between the announcement of a key and its first signature, in ms: after it, every trust bundle without the key has expired. */
export const announcementMs = trustBundleLifetimeMs + rotationMarginMs;

/** How long a key is trusted after its last signature, in ms: after it, every token signed by the key has expired. */
export const retirementMs = accessTokenMaxLifetimeMs + rotationMarginMs;

/**
 * The key for a token whose validity begins at `notBeforeMs`. It follows from the token and not from the clock, so that a duplicate of a request gets the
 * same token after a rotation and from another gateway.
 */
export function signingKey(epochs: IssuerEpochs, notBeforeMs: number): IssuerKeyPair {
  return epochInForce(epochs, notBeforeMs).key;
}

/** The epoch in force at a time, in ms. */
export function epochInForce([first, second]: IssuerEpochs, atMs: number): IssuerEpoch {
  return second !== undefined && second.signsFromMs <= atMs ? second : first;
}

/** The epochs whose keys agents must know at a time, in ms: the one in force, and the next or previous one. */
export function publishedEpochs(epochs: IssuerEpochs, nowMs: number): IssuerEpoch[] {
  const inForce = epochInForce(epochs, nowMs);
  const others = epochs.filter((epoch) => epoch !== inForce && (epoch.notAfterMs === undefined || nowMs < epoch.notAfterMs));
  return [inForce, ...others];
}

/** The signing periods of the epochs' public keys, as published for the verification of receipts. */
export function issuerKeyPeriods(epochs: IssuerEpochs): IssuerKeyPeriod[] {
  return epochs.map(({ key: { keyId, publicKey }, signsFromMs }, index) => ({
    keyId,
    publicKey,
    signsFromMs: signsFromMs === 0 ? undefined : signsFromMs,
    signsUntilMs: epochs[index + 1]?.signsFromMs,
  }));
}

/** The trust bundle at a time, in ms. A key that the operator's root has revoked is in none. */
export function trustBundleAt(epochs: IssuerEpochs, nowMs: number, certificates?: IssuerCertificates): TrustBundle {
  const believed = publishedEpochs(epochs, nowMs).filter(({ key }) => !isRevoked(certificates, key.publicKey));
  const keys = believed.map(({ key, notAfterMs }) => ({
    ...key,
    ...(notAfterMs === undefined ? {} : { notAfterMs }),
    certificate: certificateOf(certificates, key.publicKey)?.text ?? "",
  }));
  return createTrustBundle({
    version: BigInt(bundleVersionAt(epochs, nowMs, certificates)),
    keys,
    revocations: lastRevocations(certificates),
    issuedAtMs: nowMs,
    notAfterMs: nowMs + trustBundleLifetimeMs,
  });
}

/**
 * The version of the trust bundle at a time: the time of the last change of its keys in s since 1970, by an announcement, a change of epochs or a
 * retirement, a certificate or a revocation. So it grows with every change, also after secrets were lost and replaced. 1: the time is unknown.
 */
export function bundleVersionAt(epochs: IssuerEpochs, nowMs: number, certificates?: IssuerCertificates): number {
  const announcements = epochs.map(({ announcedAtMs }) => announcedAtMs);
  const statements = [...(certificates?.certificates ?? []), ...(certificates?.revocations ?? [])].map(
    ({ notBeforeS }) => notBeforeS * 1000,
  );
  const changes = [...epochs.flatMap(({ signsFromMs, notAfterMs = 0 }) => [signsFromMs, notAfterMs]), ...statements];
  const passed = changes.filter((atMs) => atMs <= nowMs);
  return Math.max(1, Math.floor(Math.max(...announcements, ...passed) / 1000));
}

/** The revocations for agents: the latest ones. Those that expired long ago are about keys whose certificates have expired too. */
function lastRevocations(certificates: IssuerCertificates | undefined): string[] {
  const latestFirst = [...(certificates?.revocations ?? [])].sort((a, b) => b.notBeforeS - a.notBeforeS);
  return latestFirst.slice(0, revocationsMax).map(({ text }) => text);
}
