import { join } from "node:path";
import { createSecretsFingerprintStore } from "@petak/records";
import { requireSharedSecrets } from "../secrets/check-shared-secrets.ts";
import { type GatewaySecrets, loadGatewaySecrets, type SecretsFromFile } from "../secrets/gateway-secrets.ts";
import { secretsIntervalMs, watchSecrets } from "../secrets/secrets-watch.ts";
import type { ConnectedStore } from "./connect-store.ts";
import type { GatewayOptions } from "./gateway-options.ts";

/** The file with a gateway's secrets, in its data directory. */
export const secretsFileName = "gateway-secrets.json";

/** The secrets of a gateway. */
export interface OpenSecrets {
  /** As the file has them now. */
  readonly inFile: SecretsFromFile;
  /** As all gateways of the store use them now. */
  readonly secrets: GatewaySecrets;
}

/** Loads the secrets, checks that the other gateways of the store have the same, and follows changes of the file. */
export async function openSecrets(
  { redis, keys, watch }: ConnectedStore,
  options: GatewayOptions,
  stack: AsyncDisposableStack,
): Promise<OpenSecrets> {
  const { dataDir, logger, now = Date.now } = options;
  const path = join(dataDir, secretsFileName);
  const store = createSecretsFingerprintStore(redis, keys);
  const inFile = await loadGatewaySecrets(path, now);
  await requireSharedSecrets(store, inFile, path);
  const secretsWatch = watchSecrets({
    secrets: inFile,
    path,
    store,
    now,
    intervalMs: options.secretsIntervalMs ?? secretsIntervalMs,
    logger,
    logFailure: watch.logFailure,
  });
  stack.defer(() => secretsWatch.stop());
  return { inFile, secrets: { ...inFile, issuerEpochs: secretsWatch.issuerEpochs } };
}
