import { setTimeout as pause } from "node:timers/promises";
import { PetakError } from "@petak/protocol";
import type { SecretsFingerprintStore } from "@petak/records";
import type { LogFailure, Logger } from "../observability/index.ts";
import { certificatesStanding } from "./certificates-standing.ts";
import { checkSharedSecrets, type SecretsStanding } from "./check-shared-secrets.ts";
import type { SecretsFromFile } from "./gateway-secrets.ts";
import type { SignedStatement } from "./issuer-certificates.ts";
import { type IssuerEpochs, rotationMarginMs } from "./issuer-epochs.ts";

/** Interval in which a gateway reads its secrets again, in ms. */
export const secretsIntervalMs = 10_000;

/**
 * How long a gateway may use secrets that are older than those of another gateway, in ms: half of a rotation's margin, which leaves the other half for
 * differences between clocks. If each gateway has a copy of the file, all copies must be replaced within this time.
 */
export const outdatedGraceMs = rotationMarginMs / 2;

/** How often a gateway says again that certificates are ending, in ms. */
const warnAgainMs = 86_400_000;

/** Retry delay for calls to a gateway with outdated secrets, in ms. */
const retryAfterMs = 1000;

/** Reads a running gateway's secrets again when their file changes, and compares them with those of the other gateways. */
export interface SecretsWatch {
  /**
   * The issuer keys to sign with and to publish.
   *
   * @throws {PetakError} STORE_UNAVAILABLE if another gateway has had newer keys for longer than {@link outdatedGraceMs}, or has revoked one of these.
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
  /** Hears in each round for how many seconds agents will go on believing the issuer keys, if the operator has a root key. */
  onCertificates?: (endInS: number) => void;
  /** Called in each round with the issuer keys. A failure is logged, and the next round calls it again. */
  onIssuerKeys?: (epochs: IssuerEpochs) => Promise<void>;
  /** Called in each round with what the operator's root has revoked. A failure is logged, and the next round calls it again. */
  onRevocations?: (revocations: readonly SignedStatement[]) => Promise<void>;
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
    tellOfCertificates();
    await options
      .onIssuerKeys?.(secrets.issuerEpochs())
      .catch((error: unknown) => logFailure("recording what the gateway has changed", error));
    await options.onRevocations?.(secrets.issuerCertificates()?.revocations ?? []).catch((error: unknown) => {
      logFailure("telling participants of a revoked issuer key", error);
    });
    if (standing.outdated)
      logger.error({ path }, "this gateway's secrets are older than those of the other gateways: copy their file here");
  }

  let told: { state: string; atMs: number } = { state: "none", atMs: 0 };

  /** Says when the state of the certificates changes, and once a day while they are not well. */
  function tellOfCertificates(): void {
    const certificates = certificatesStanding(secrets.issuerEpochs(), secrets.issuerCertificates(), now());
    const { state } = certificates;
    if (state === "none") return;
    const { keyId, endsAtMs } = certificates;
    options.onCertificates?.((endsAtMs - now()) / 1000);
    const isNews = state !== told.state || (state !== "ok" && now() >= told.atMs + warnAgainMs);
    if (!isNews) return;
    told = { state, atMs: now() };
    const facts = { keyId, endsAt: endsAtMs === 0 ? undefined : new Date(endsAtMs).toISOString() };
    if (state === "ok") logger.info(facts, "the issuer keys are certified");
    if (state === "ending")
      logger.warn(facts, "a certificate of the issuer keys ends within 30 days: let the operator's root certify them again");
    if (state === "ended")
      logger.error(facts, "an issuer key has no certificate in force: devices that know the root stop opening for tokens within 7 days");
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

  tellOfCertificates();
  const ended = run();
  return {
    issuerEpochs() {
      if (standing.outdated && (standing.isRevoked || now() >= standing.newerSinceMs + outdatedGraceMs)) {
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
