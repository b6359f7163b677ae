import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type IssuerKeyPeriod, toIssuerKeySet } from "@petak/credential";
import {
  CertificatesFileError,
  certificateOf,
  certificatesPath,
  certificatesStanding,
  earliestAnnouncementMs,
  epochInForce,
  type IssuerCertificates,
  type IssuerEpoch,
  type IssuerEpochs,
  RotationRefusedError,
  readIssuerCertificates,
  readIssuerEpochs,
  readIssuerKeyPeriods,
  rotateIssuer,
  SecretsFileError,
  secretsFileName,
} from "@petak/gateway";
import { CliFailure } from "../failure.ts";
import { readConfig } from "../serve/config-options.ts";
import type { Session } from "../session.ts";

/** Location of the gateway's secrets. Default: the gateway's configuration. */
export interface SecretsOptions {
  dataDir?: string;
  config?: string;
}

/**
 * Shows the issuer keys, and optionally writes the public keys. Throws a CliFailure if there is no secrets file.
 *
 * @param options.out file for the public keys, past and present, in the format that gateways publish
 * @param facts further members of the JSON
 */
export async function showIssuer(session: Session, options: SecretsOptions & { out?: string }, facts: object = {}): Promise<void> {
  const path = secretsPath(session, options);
  const reading = Promise.all([readIssuerEpochs(path), readIssuerKeyPeriods(path), readIssuerCertificates(certificatesPath(path))]);
  const [epochs, periods, certificates] = await orFailure(reading);
  const { out } = options;
  if (out !== undefined) {
    await writeFile(session.resolve(out), `${JSON.stringify(toIssuerKeySet(periods), undefined, 2)}\n`).catch((cause: Error) => {
      throw new CliFailure(`${out} could not be written: ${cause.message}.`, { cause });
    });
  }
  const past = periods.slice(0, periods.length - epochs.length);
  showEpochs(session, epochs, { past, certificates, facts });
  if (out !== undefined) {
    const keys = periods.length === 1 ? "the public key" : `the ${periods.length} public keys`;
    session.output.print(`${out} has ${keys} for verifying receipts.`);
  }
}

/**
 * Announces a new issuer key.
 *
 * @param options.atMs first use of the key, in ms since 1970
 * @throws {CliFailure} with the reason `too-early` if tokens would be refused for some time; or if there is no secrets file.
 */
export async function rotate(session: Session, options: SecretsOptions & { atMs?: number | undefined }): Promise<void> {
  const path = secretsPath(session, options);
  const epochs = await orFailure(rotateIssuer(path, session.io.now(), options.atMs), "Nothing was changed: ");
  showEpochs(session, epochs, { certificates: await orFailure(readIssuerCertificates(certificatesPath(path))) });
  const [before, announced] = epochs;
  session.output.print(
    `Agents learn of ${announced?.key.keyId} from now on; it signs from ${formatTime(announced?.signsFromMs)} on, and ${before.key.keyId} is trusted until ${formatTime(before.notAfterMs)}.`,
  );
  session.output.print("If all gateways read this file, you are done. If each has a copy, replace all copies within half an hour.");
}

/** Path of the gateway's secrets. */
export function secretsPath({ io, resolve }: Session, options: SecretsOptions): string {
  return join(resolve(readConfig({ ...options }, io).dataDir), secretsFileName);
}

/**
 * Turns refusals and file errors into CliFailures.
 *
 * @param prefix start of the message of a file error
 */
export async function orFailure<Value>(work: Promise<Value>, prefix = ""): Promise<Value> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof RotationRefusedError) {
      throw new CliFailure(`Nothing was changed: ${error.message}.`, { cause: error, reason: "too-early" });
    }
    if (error instanceof SecretsFileError || error instanceof CertificatesFileError)
      throw new CliFailure(`${prefix}${error.message}.`, { cause: error });
    throw error;
  }
}

interface Beside {
  past?: readonly IssuerKeyPeriod[];
  certificates: IssuerCertificates | undefined;
  facts?: object;
}

function showEpochs({ output, io }: Session, epochs: IssuerEpochs, { past = [], certificates, facts }: Beside): void {
  const nowMs = io.now();
  const certifiedUntilMs = (publicKey: Uint8Array) => (certificateOf(certificates, publicKey)?.notAfterS ?? 0) * 1000;
  const standing = certificatesStanding(epochs, certificates, nowMs);
  const nextRotationMs = earliestAnnouncementMs(epochs, nowMs);
  const shown = epochs.map((epoch) => ({ ...epoch, state: stateOf(epoch, epochs, nowMs) }));
  output.json({
    keys: shown.map(({ key, state, signsFromMs, notAfterMs }) => ({
      keyId: key.keyId,
      state,
      signsFrom: signsFromMs === 0 ? null : isoTime(signsFromMs),
      notAfter: notAfterMs === undefined ? null : isoTime(notAfterMs),
      certifiedUntil: certifiedUntilMs(key.publicKey) === 0 ? null : isoTime(certifiedUntilMs(key.publicKey)),
    })),
    root: certificates?.root ?? null,
    certificates: standing.state,
    revoked: certificates?.revocations.map(({ keyId }) => keyId) ?? [],
    ...facts,
    pastKeys: toIssuerKeySet(past).keys.map(({ kid, signs_from = null, signs_until = null }) => ({
      keyId: kid,
      signsFrom: signs_from,
      signsUntil: signs_until,
    })),
    nextRotation: isoTime(nextRotationMs),
  });
  output.table(
    [
      { title: "KEY", paint: output.colors.cyan },
      { title: "STATE" },
      { title: "SIGNS FROM" },
      { title: "TRUSTED UNTIL" },
      { title: "CERTIFIED UNTIL" },
    ],
    [
      ...past.map(({ keyId, signsFromMs }) => [keyId, "signed receipts", formatTime(signsFromMs), "", ""]),
      ...shown.map(({ key, state, signsFromMs, notAfterMs }) => [
        key.keyId,
        state,
        formatTime(signsFromMs),
        formatTime(notAfterMs),
        formatTime(certifiedUntilMs(key.publicKey)),
      ]),
    ],
  );
  if (certificates !== undefined) output.print(`The operator's root is ${output.colors.cyan(certificates.root)}.`);
  if (standing.state === "ending" || standing.state === "ended") {
    const when = standing.state === "ended" ? "has no certificate in force" : `is certified until ${formatTime(standing.endsAtMs)} only`;
    output.note(`${standing.keyId} ${when}: petak issuer request, petak issuer certify, petak issuer install.`);
  }
  const next = nextRotationMs > nowMs ? `from ${formatTime(nextRotationMs)} on` : "now";
  output.print(output.colors.dim(`The next rotation can be announced ${next}.`));
}

function stateOf(epoch: IssuerEpoch, epochs: IssuerEpochs, nowMs: number): string {
  if (epoch === epochInForce(epochs, nowMs)) return "signs";
  if (epoch.signsFromMs > nowMs) return "announced";
  return nowMs < (epoch.notAfterMs ?? 0) ? "signed before" : "retired";
}

function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

/** A time for people; empty for 0. */
function formatTime(timeMs = 0): string {
  return timeMs === 0 ? "" : `${isoTime(timeMs).slice(0, 16)}Z`;
}
