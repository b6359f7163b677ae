import type { GatewayIdentityStore } from "../stores/gateway-identity-store.ts";
import type { GatewaySecrets } from "./gateway-secrets.ts";
import { fingerprintOfSecrets } from "./secrets-fingerprint.ts";

/** A gateway's secrets are not those of the gateways with which it shares its records. The message says what differs and the way out. */
export class SecretsMismatchError extends Error {
  override readonly name = "SecretsMismatchError";
}

/**
 * Makes sure that all gateways over the same records have the same secrets: each would refuse the tokens and PINs of the others.
 *
 * @param path Where the secrets are kept, for the message.
 * @throws {SecretsMismatchError} where the gateways before had others.
 */
export async function checkSharedSecrets(store: GatewayIdentityStore, secrets: GatewaySecrets, path: string): Promise<void> {
  const own = fingerprintOfSecrets(secrets);
  const noted = await store.claim(own);
  const differing = [
    ...(noted.issuerKey === own.issuerKey ? [] : ["the issuer key"]),
    ...(noted.derivationKey === own.derivationKey ? [] : ["the derivation key"]),
  ];
  if (differing.length === 0) return;
  throw new SecretsMismatchError(
    `${path} has not the secrets of the gateways that used this Redis before (${differing.join(" and ")} ${differing.length > 1 ? "differ" : "differs"}): copy gateway-secrets.json from the data directory of one of them, or use another Redis; where their secrets are lost for good, delete the key ${store.key} in Redis, and no token or PIN issued before opens a door.`,
  );
}
