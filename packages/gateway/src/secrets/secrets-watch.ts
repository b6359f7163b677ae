import { setTimeout as pause } from "node:timers/promises";
import { PetakError } from "@petak/protocol";
import type { SecretsFingerprintStore } from "@petak/records";
import type { LogFailure, Logger } from "../observability/index.ts";
import { checkSharedSecrets, type SecretsStanding } from "./check-shared-secrets.ts";
import type { SecretsFromFile } from "./gateway-secrets.ts";
import { type IssuerEpochs, rotationMarginMs } from "./issuer-epochs.ts";

/** Interval in which a gateway reads its secrets again, in ms. */
export const secretsIntervalMs = 10_000;

/**
 * How long a gateway may use secrets that are older than those of another gateway, in ms: half of a rotation's margin, which leaves the other half for
 * differences between clocks. If each gateway has a copy of the file, all copies must be replaced within this time.
 */
export const outdatedGraceMs = rotationMarginMs / 2;

/** Retry delay for calls to a gateway with outdated secrets, in ms. */
const retryAfterMs = 1000;

/** Reads a running gateway's secrets again when their file changes, and compares them with those of the other gateways. */
export interface SecretsWatch {
  /**
   * The issuer keys to sign with and to publish.
   *
   * @throws {PetakError} STORE_UNAVAILABLE if another gateway has had newer keys for longer than {@link outdatedGraceMs}.
   */
  issuerEpochs(): IssuerEpochs;
  /** Reads the file and compares the secrets once. Failures are logged. */
  once(): Promise<void>;
  /** Resolves when the current round has ended. */
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
    const [, newestBefore] = keyIds();
    try {
      await secrets.refresh();
    } catch (error) {
      logger.error({ err: error }, "the secrets could not be read again; the gateway continues with the current ones");
    }
    try {
      standing = await checkSharedSecrets(store, secrets, path);
    } catch (error) {
      logFailure("the comparison of the gateway's secrets with those of the other gateways", error);
    }
    const [keyId, newest] = keyIds();
    if (newest !== newestBefore) logger.info({ keyId, nextKeyId: newest }, "an issuer key was announced");
    if (standing.outdated)
      logger.error({ path }, "this gateway's secrets are older than those of the other gateways: copy their file here");
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
