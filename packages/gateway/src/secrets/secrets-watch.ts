import { setTimeout as pause } from "node:timers/promises";
import { PetakError } from "@petak/protocol";
import type { SecretsFingerprintStore } from "@petak/records";
import type { LogFailure, Logger } from "../observability/index.ts";
import { checkSharedSecrets, type SecretsStanding } from "./check-shared-secrets.ts";
import type { SecretsFromFile } from "./gateway-secrets.ts";
import { type IssuerEpochs, rotationMarginMs } from "./issuer-epochs.ts";

/** How often a gateway reads its secrets again, in ms. */
export const secretsIntervalMs = 10_000;

/**
 * How long a gateway may go on with secrets that are older than another's, in ms: half of a rotation's margin, so that the other half is left
 * for clocks that differ. Where each gateway has a copy of the file, a new one must be in place everywhere by then.
 */
export const outdatedGraceMs = rotationMarginMs / 2;

/** When a gateway with outdated secrets is worth asking again, in ms. */
const retryAfterMs = 1000;

/** Keeps a running gateway's secrets in step with their file, and with the gateways beside it. */
export interface SecretsWatch {
  /**
   * The issuer keys to sign with and to tell agents of.
   *
   * @throws {PetakError} STORE_UNAVAILABLE where another gateway has had newer ones for longer than {@link outdatedGraceMs}.
   */
  issuerEpochs(): IssuerEpochs;
  /** Reads the file once, and looks at what the others have. What goes wrong is told to the operator. */
  once(): Promise<void>;
  /** Resolves when the round under way has ended. */
  stop(): Promise<void>;
}

/** Starts to watch. */
export function watchSecrets(options: {
  secrets: SecretsFromFile;
  path: string;
  store: SecretsFingerprintStore;
  now: () => number;
  intervalMs: number;
  logger: Logger;
  logFailure: LogFailure;
}): SecretsWatch {
  const { secrets, path, store, now, intervalMs, logger, logFailure } = options;
  const stopping = new AbortController();
  let standing: SecretsStanding = { outdated: false };

  async function once(): Promise<void> {
    const [, youngestBefore] = keyIds();
    try {
      await secrets.refresh();
    } catch (error) {
      logger.error({ err: error }, "the gateway's secrets could not be read again, and it goes on with those it has");
    }
    try {
      standing = await checkSharedSecrets(store, secrets, path);
    } catch (error) {
      logFailure("the comparison of the gateway's secrets with those of the gateways beside it", error);
    }
    const [keyId, youngest] = keyIds();
    if (youngest !== youngestBefore) logger.info({ keyId, nextKeyId: youngest }, "an issuer key was announced");
    if (standing.outdated)
      logger.error({ path }, "this gateway's secrets are older than those of the gateways beside it: copy their file here");
  }

  function keyIds(): (string | undefined)[] {
    return secrets.issuerEpochs().map(({ key }) => key.keyId);
  }

  async function run(): Promise<void> {
    for (;;) {
      await pause(intervalMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (stopping.signal.aborted) return;
      await once();
    }
  }

  const ended = run();
  return {
    issuerEpochs() {
      if (standing.outdated && now() >= standing.newerSinceMs + outdatedGraceMs) {
        throw new PetakError(
          "STORE_UNAVAILABLE",
          "this gateway's keys are older than those of another gateway; send the same request again",
          { retryAfterMs },
        );
      }
      return secrets.issuerEpochs();
    },
    once,
    async stop() {
      stopping.abort();
      await ended;
    },
  };
}
