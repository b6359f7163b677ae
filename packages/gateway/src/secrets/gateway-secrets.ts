import { createHmac, timingSafeEqual } from "node:crypto";
import type { IssuerKeyPeriod } from "@petak/credential";
import type { IssuerEpochs } from "./issuer-epochs.ts";
import { makeSecretsFile, readSecretsFile } from "./secrets-file.ts";

/** What a gateway keeps to itself, and shares with the gateways that stand beside it. */
export interface GatewaySecrets {
  /** The keys that sign access tokens, by epoch. They change while a gateway runs: ask each time. */
  issuerEpochs(): IssuerEpochs;
  /** PINs and token ids are derived from it: 32 bytes. */
  readonly derivationKey: Uint8Array;
  /** The key under which a site's PINs are hashed: 32 bytes, another for each site. */
  pinKey(siteId: string): Promise<Uint8Array>;
}

/** Secrets that follow their file. */
export interface SecretsFromFile extends GatewaySecrets {
  /** The keys that signed before the epochs there are, oldest first. */
  pastKeys(): readonly IssuerKeyPeriod[];
  /** Reads the file again. Where that fails, or the file has another derivation key, it throws and what was known stays. */
  refresh(): Promise<void>;
}

/**
 * Reads a gateway's secrets, and makes them where there are none yet. The file is for the gateway's user only. Of two gateways that start
 * at once on one folder, one makes the secrets and both use them.
 *
 * @throws {Error} where the file is there and is no secrets file.
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
      if (stored === undefined) throw new Error(`${path} is gone`);
      if (!timingSafeEqual(stored.derivationKey, derivationKey)) {
        throw new Error(
          `${path} has another derivation key, under which no PIN issued before is known: restart the gateway if it is meant`,
        );
      }
      ({ epochs, pastKeys } = stored);
    },
  };
}
