import { join } from "node:path";
import { createSecretsFingerprintStore } from "@petak/records";
import type { RevocationTeller } from "../features/keys/tell-of-revocations.ts";
import { requireSharedSecrets } from "../secrets/check-shared-secrets.ts";
import { type GatewaySecrets, loadGatewaySecrets, type SecretsFromFile } from "../secrets/gateway-secrets.ts";
import type { IssuerCertificates } from "../secrets/issuer-certificates.ts";
import type { IssuerEpochs } from "../secrets/issuer-epochs.ts";
import { secretsIntervalMs, watchSecrets } from "../secrets/secrets-watch.ts";
import type { ConnectedStore } from "./connect-store.ts";
import type { GatewayOptions } from "./gateway-options.ts";

/** Name of the secrets file in a gateway's data directory. */
export const secretsFileName = "gateway-secrets.json";

/** The secrets of a gateway. */
export interface OpenSecrets {
  /** As they are in the file. */
  readonly inFile: SecretsFromFile;
  /** As they may be used: {@link GatewaySecrets.issuerEpochs} throws if another gateway has newer ones. */
  readonly secrets: GatewaySecrets;
}

/** Loads the secrets, checks that the other gateways of the store have the same, and reads the file again when it changes. */
export async function openSecrets(
  { redis, keys, watch }: ConnectedStore,
  options: GatewayOptions,
  revocations: RevocationTeller,
  tellKeys: (epochs: IssuerEpochs, certificates: IssuerCertificates | undefined) => Promise<void>,
  stack: AsyncDisposableStack,
): Promise<OpenSecrets> {
  const { dataDir, logger, now = Date.now } = options;
  const path = join(dataDir, secretsFileName);
  const store = createSecretsFingerprintStore(redis, keys);
  const inFile = await loadGatewaySecrets(path, now);
  await requireSharedSecrets(store, inFile, path);
  options.metrics.issuerCertificatesEnd.remove();
  const secretsWatch = watchSecrets({
    secrets: inFile,
    path,
    store,
    now,
    intervalMs: options.secretsIntervalMs ?? secretsIntervalMs,
    logger,
    logFailure: watch.logFailure,
    onIssuerKeys: (epochs) => tellKeys(epochs, inFile.issuerCertificates()),
    onRevocations: revocations.tell,
    onCertificates: (endInS) => options.metrics.issuerCertificatesEnd.set(endInS),
  });
  stack.defer(() => secretsWatch.stop());
  return { inFile, secrets: { ...inFile, issuerEpochs: secretsWatch.issuerEpochs } };
}
