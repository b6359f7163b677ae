import { createHmac, timingSafeEqual } from "node:crypto";
import type { IssuerKeyPeriod } from "@petak/credential";
import type { IssuerEpochs } from "./issuer-epochs.ts";
import { makeSecretsFile, readSecretsFile } from "./secrets-file.ts";

/** Secrets of a gateway, which all gateways of a store share. */
export interface GatewaySecrets {
  /** The keys that sign access tokens, by epoch. Call it each time: the keys change while the gateway runs. */
  issuerEpochs(): IssuerEpochs;
  /** Key from which PINs and token ids are derived, 32 bytes. */
  readonly derivationKey: Uint8Array;
  /** The key for the hashes of a site's PINs, 32 bytes. It differs for each site. */
  pinKey(siteId: string): Promise<Uint8Array>;
}

/** Secrets from a file that can be read again. */
export interface SecretsFromFile extends GatewaySecrets {
  /** The keys of earlier epochs, oldest first. */
  pastKeys(): readonly IssuerKeyPeriod[];
  /** Reads the file again. Throws, and keeps the current secrets, if that fails or the file has another derivation key. */
  refresh(): Promise<void>;
}

/**
 * Reads a gateway's secrets, and creates them if the file does not exist. Only the gateway's user may access the file. If two gateways start concurrently
 * in one directory, one creates the secrets and both use them.
 *
 * @throws {Error} if the file exists and is not a secrets file.
 */
export async function loadGatewaySecrets(path: string, now: () => number = Date.now): Promise<SecretsFromFile> {
  const loaded = (await readSecretsFile(path)) ?? (await makeSecretsFile(path, now()));
  const { derivationKey } = loaded;
  let { epochs, pastKeys } = loaded;
  return {
    issuerEpochs: () => epochs,
    pastKeys: () => pastKeys,
    derivationKey,
    pinKey: async (siteId) => createHmac("sha256", derivationKey).update(`petak pin key\0${siteId}`).digest(),
    async refresh() {
      const stored = await readSecretsFile(path);
      if (stored === undefined) throw new Error(`${path} no longer exists`);
      if (!timingSafeEqual(stored.derivationKey, derivationKey)) {
        throw new Error(
          `${path} has another derivation key, which would invalidate all PINs issued before: restart the gateway if that is intended`,
        );
      }
      ({ epochs, pastKeys } = stored);
    },
  };
}
