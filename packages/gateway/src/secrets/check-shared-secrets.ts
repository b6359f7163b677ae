import type { SecretsFingerprintStore } from "@petak/records";
import { type FingerprintedSecrets, fingerprintOfSecrets } from "./secrets-fingerprint.ts";

/** A gateway's secrets differ from those of the other gateways of its store. The message says what differs and how to resolve it. */
export class SecretsMismatchError extends Error {
  override readonly name = "SecretsMismatchError";
}

/**
 * Comparison of a gateway's secrets with those of the other gateways of its store. `outdated`: another gateway has a newer issuer key, announced at
 * `newerSinceMs`. `isRevoked`: it has revoked a key of this one, which must not be used for a moment longer.
 */
export type SecretsStanding =
  | { readonly outdated: false }
  | { readonly outdated: true; readonly newerSinceMs: number; readonly isRevoked: boolean };

/**
 * Checks that all gateways of a store have the same secrets; otherwise each would refuse the tokens and PINs of the others. If these secrets are newer by a
 * rotation, their fingerprint is stored for the others.
 *
 * @param path path of the secrets file, for the message
 * @throws {SecretsMismatchError} if the other gateways have different secrets that are no earlier or later state of these.
 */
export async function checkSharedSecrets(
  store: SecretsFingerprintStore,
  secrets: FingerprintedSecrets,
  path: string,
): Promise<SecretsStanding> {
  const own = fingerprintOfSecrets(secrets);
  const stored = await store.claim(own);
  const hasSameRoot = stored.derivationKey === own.derivationKey;
  // The derivation key never changes, so secrets with the same one are the same file before and after a rotation.
  if (hasSameRoot && own.announcedAtMs > stored.announcedAtMs) {
    await store.replace(own);
    return { outdated: false };
  }
  if (hasSameRoot && own.announcedAtMs < stored.announcedAtMs) {
    const isRevoked = [own.issuerKey, own.nextIssuerKey].some((key) => key !== undefined && stored.revokedKeys?.includes(key) === true);
    return { outdated: true, newerSinceMs: stored.announcedAtMs, isRevoked };
  }
  const hasSameKeys = stored.issuerKey === own.issuerKey && stored.nextIssuerKey === own.nextIssuerKey;
  const differing = [...(hasSameKeys ? [] : ["the issuer key"]), ...(hasSameRoot ? [] : ["the derivation key"])];
  if (differing.length === 0) return { outdated: false };
  throw new SecretsMismatchError(
    `${path} does not have the secrets of the gateways that used this Redis before (${differing.join(" and ")} ${differing.length > 1 ? "differ" : "differs"}): copy gateway-secrets.json from the data directory of one of them, or use another Redis. If their secrets are lost, delete the key ${store.key} in Redis; tokens and PINs issued before then no longer open any door.`,
  );
}

/** {@link checkSharedSecrets} at the start of a gateway. @throws {SecretsMismatchError} also if the secrets are outdated */
export async function requireSharedSecrets(store: SecretsFingerprintStore, secrets: FingerprintedSecrets, path: string): Promise<void> {
  const standing = await checkSharedSecrets(store, secrets, path);
  if (!standing.outdated) return;
  throw new SecretsMismatchError(
    `${path} is older than the secrets of the other gateways, which have had a newer issuer key since ${new Date(standing.newerSinceMs).toISOString()}: copy gateway-secrets.json from the data directory of one of them. If the newer secrets are lost, delete the key ${store.key} in Redis.`,
  );
}
