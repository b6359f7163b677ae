import type { SecretsFingerprintStore } from "@petak/records";
import type { GatewaySecrets } from "./gateway-secrets.ts";
import { fingerprintOfSecrets } from "./secrets-fingerprint.ts";

/** A gateway's secrets are not those of the gateways with which it shares its records. The message says what differs and the way out. */
export class SecretsMismatchError extends Error {
  override readonly name = "SecretsMismatchError";
}

/**
 * How a gateway's secrets stand to those of the gateways beside it: the same, or `outdated`: another gateway has a newer issuer key, which was
 * announced at that time.
 */
export type SecretsStanding = { readonly outdated: false } | { readonly outdated: true; readonly newerSinceMs: number };

/**
 * Makes sure that all gateways over the same records have the same secrets: each would refuse the tokens and PINs of the others. Secrets
 * that are newer by a rotation are noted for the others.
 *
 * @param path Where the secrets are kept, for the message.
 * @throws {SecretsMismatchError} where the gateways before had others, of which these are no newer and no older state.
 */
export async function checkSharedSecrets(
  store: SecretsFingerprintStore,
  secrets: Pick<GatewaySecrets, "issuerEpochs" | "derivationKey">,
  path: string,
): Promise<SecretsStanding> {
  const own = fingerprintOfSecrets(secrets);
  const noted = await store.claim(own);
  const hasSameRoot = noted.derivationKey === own.derivationKey;
  // The derivation key never changes: secrets with the same one are states of one file, before and after a rotation.
  if (hasSameRoot && own.announcedAtMs > noted.announcedAtMs) {
    await store.replace(own);
    return { outdated: false };
  }
  if (hasSameRoot && own.announcedAtMs < noted.announcedAtMs) return { outdated: true, newerSinceMs: noted.announcedAtMs };
  const hasSameKeys = noted.issuerKey === own.issuerKey && noted.nextIssuerKey === own.nextIssuerKey;
  const differing = [...(hasSameKeys ? [] : ["the issuer key"]), ...(hasSameRoot ? [] : ["the derivation key"])];
  if (differing.length === 0) return { outdated: false };
  throw new SecretsMismatchError(
    `${path} has not the secrets of the gateways that used this Redis before (${differing.join(" and ")} ${differing.length > 1 ? "differ" : "differs"}): copy gateway-secrets.json from the data directory of one of them, or use another Redis; where their secrets are lost for good, delete the key ${store.key} in Redis, and no token or PIN issued before opens a door.`,
  );
}

/** The same at a gateway's start: outdated secrets are no secrets to start with. @throws {SecretsMismatchError} */
export async function requireSharedSecrets(
  store: SecretsFingerprintStore,
  secrets: Pick<GatewaySecrets, "issuerEpochs" | "derivationKey">,
  path: string,
): Promise<void> {
  const standing = await checkSharedSecrets(store, secrets, path);
  if (!standing.outdated) return;
  throw new SecretsMismatchError(
    `${path} is older than the secrets of the gateways beside it, which have an issuer key since ${new Date(standing.newerSinceMs).toISOString()}: copy gateway-secrets.json from the data directory of one of them; where the newer secrets are lost for good, delete the key ${store.key} in Redis.`,
  );
}
