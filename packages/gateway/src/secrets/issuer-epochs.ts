import { accessTokenMaxLifetimeMs, createTrustBundle, type IssuerKeyPair, type IssuerKeyPeriod } from "@petak/credential";
import type { TrustBundle } from "@petak/protocol";

/** A time during which one key signs access tokens. */
export interface IssuerEpoch {
  readonly key: IssuerKeyPair;
  /** Since when gateways can know of the key, in ms: when it was written into their secrets. 0: before this was noted. */
  readonly announcedAtMs: number;
  /** From when the key signs, in ms: a whole second. 0: from the beginning. */
  readonly signsFromMs: number;
  /** Until when agents rely on the key, in ms. Undefined: no other follows it yet. */
  readonly notAfterMs?: number;
}

/** The epochs that a gateway knows, the older first: one, or two with a rotation between them that is to come or has been. */
export type IssuerEpochs = readonly [IssuerEpoch] | readonly [IssuerEpoch, IssuerEpoch];

/** How long an agent may rely on a trust bundle, in ms: it works through a week without the network. */
export const trustBundleLifetimeMs = 7 * 24 * 3_600_000;

/**
 * What is added to each wait of a rotation, in ms: an hour, for gateways that read the new secrets late (see `secrets-watch.ts`), for the
 * differences between their clocks, and for the skew that agents allow.
 */
export const rotationMarginMs = 3_600_000;

/** How long a key must be known before it signs, in ms: until then every trust bundle without it has expired. */
export const announcementMs = trustBundleLifetimeMs + rotationMarginMs;

/** How long a key is relied on after it has signed for the last time, in ms: until then every token that it signed has expired. */
export const retirementMs = accessTokenMaxLifetimeMs + rotationMarginMs;

/**
 * The key that signs a token which is good from a time on, in ms. By the token's time and not the clock: whoever repeats a request gets the
 * same token, also after a rotation and from another gateway.
 */
export function signingKey(epochs: IssuerEpochs, notBeforeMs: number): IssuerKeyPair {
  return epochInForce(epochs, notBeforeMs).key;
}

/** The epoch whose key signs at a time, in ms. */
export function epochInForce([first, second]: IssuerEpochs, atMs: number): IssuerEpoch {
  return second !== undefined && second.signsFromMs <= atMs ? second : first;
}

/** The epochs whose keys agents should know at a time, in ms: the one in force, and the one that is to come or was before it. */
export function epochsToTell(epochs: IssuerEpochs, nowMs: number): IssuerEpoch[] {
  const inForce = epochInForce(epochs, nowMs);
  const others = epochs.filter((epoch) => epoch !== inForce && (epoch.notAfterMs === undefined || nowMs < epoch.notAfterMs));
  return [inForce, ...others];
}

/** When each epoch's key signs, without its private half: as it is published for whoever verifies receipts. */
export function issuerKeyPeriods(epochs: IssuerEpochs): IssuerKeyPeriod[] {
  return epochs.map(({ key: { keyId, publicKey }, signsFromMs }, index) => ({
    keyId,
    publicKey,
    signsFromMs: signsFromMs === 0 ? undefined : signsFromMs,
    signsUntilMs: epochs[index + 1]?.signsFromMs,
  }));
}

/** The trust bundle of a time, in ms. */
export function trustBundleAt(epochs: IssuerEpochs, nowMs: number): TrustBundle {
  const keys = epochsToTell(epochs, nowMs).map(({ key, notAfterMs }) => ({ ...key, ...(notAfterMs === undefined ? {} : { notAfterMs }) }));
  return createTrustBundle({
    version: BigInt(bundleVersionAt(epochs, nowMs)),
    keys,
    issuedAtMs: nowMs,
    notAfterMs: nowMs + trustBundleLifetimeMs,
  });
}

/**
 * The version of the trust bundle of a time: the second at which its keys changed last, by an announcement, a change of epochs or a
 * retirement. So it grows with every change, also where a gateway's secrets were lost and made anew. 1: before changes were noted.
 */
export function bundleVersionAt(epochs: IssuerEpochs, nowMs: number): number {
  const announcements = epochs.map(({ announcedAtMs }) => announcedAtMs);
  const passed = epochs.flatMap(({ signsFromMs, notAfterMs = 0 }) => [signsFromMs, notAfterMs]).filter((atMs) => atMs <= nowMs);
  return Math.max(1, Math.floor(Math.max(...announcements, ...passed) / 1000));
}
