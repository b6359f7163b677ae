import { createHmac, timingSafeEqual } from "node:crypto";
import type { IssuerKeyPeriod } from "@petak/credential";
import { certificatesPath, type IssuerCertificates, readIssuerCertificates } from "./issuer-certificates.ts";
import type { IssuerEpochs } from "./issuer-epochs.ts";
import { makeSecretsFile, readSecretsFile } from "./secrets-file.ts";

/** Secrets of a gateway, which all gateways of a store share. */
export interface GatewaySecrets {
  /** The keys that sign access tokens, by epoch. Call it each time: the keys change while the gateway runs. */
  issuerEpochs(): IssuerEpochs;
  /** What the operator's root key states of issuer keys. Undefined: the operator has no root key. It changes while the gateway runs. */
  issuerCertificates(): IssuerCertificates | undefined;
  /** Key from which PINs and token ids are derived, 32 bytes. */
  readonly derivationKey: Uint8Array;
  /** The key for the hashes of a site's PINs, 32 bytes. It differs for each site and generation. @param generation default 0 */
  pinKey(siteId: string, generation?: number): Promise<Uint8Array>;
}

/** Secrets from a file that can be read again. */
export interface SecretsFromFile extends GatewaySecrets {
  /** The keys of earlier epochs, oldest first. */
  pastKeys(): readonly IssuerKeyPeriod[];
  /** Reads the files again. Throws, and keeps what is current, if that fails or the file of secrets has another derivation key. */
  refresh(): Promise<void>;
}

/**
 * Reads a gateway's secrets, and creates them if the file does not exist. Only the gateway's user may access the file. If two gateways start concurrently
 * in one directory, one creates the secrets and both use them.
 *
 * @throws {Error} if the file exists and is not a secrets file; {@link CertificatesFileError} if the one beside it is no file of certificates.
 */
export async function loadGatewaySecrets(path: string, now: () => number = Date.now): Promise<SecretsFromFile> {
  const loaded = (await readSecretsFile(path)) ?? (await makeSecretsFile(path, now()));
  const { derivationKey } = loaded;
  let { epochs, pastKeys } = loaded;
  let certificates = await readIssuerCertificates(certificatesPath(path));
  return {
    issuerEpochs: () => epochs,
    issuerCertificates: () => certificates,
    pastKeys: () => pastKeys,
    derivationKey,
    pinKey: async (siteId, generation = 0) =>
      createHmac("sha256", derivationKey)
        .update(`petak pin key\0${siteId}${generation === 0 ? "" : `\0${generation}`}`)
        .digest(),
    async refresh() {
      // First, so that a key that the new secrets have is certified when it is used.
      const found = await readIssuerCertificates(certificatesPath(path));
      if (found === undefined && certificates !== undefined) throw new Error(`${certificatesPath(path)} no longer exists`);
      certificates = found;
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
