import { open, unlink } from "node:fs/promises";
import { generateIssuerKey, type IssuerKeyPair, type IssuerKeyPeriod } from "@petak/credential";
import { certificatesPath, certifiedSpare, readIssuerCertificates } from "./issuer-certificates.ts";
import { type IssuerEpochs, issuerKeyPeriods } from "./issuer-epochs.ts";
import { announceKey, earliestSigningMs } from "./rotation.ts";
import { readSecretsFile, replaceSecretsFile, type StoredSecrets } from "./secrets-file.ts";

/** A secrets file cannot be used. The message says why and how to resolve it. */
export class SecretsFileError extends Error {
  override readonly name = "SecretsFileError";
}

/** The issuer's past and present keys in a secrets file. @throws {SecretsFileError} if the file cannot be used */
export async function readIssuerKeyPeriods(path: string): Promise<IssuerKeyPeriod[]> {
  const { pastKeys, epochs } = await readExisting(path);
  return [...pastKeys, ...issuerKeyPeriods(epochs)];
}

/** The issuer epochs in a secrets file. @throws {SecretsFileError} if the file cannot be used */
export async function readIssuerEpochs(path: string): Promise<IssuerEpochs> {
  return (await readExisting(path)).epochs;
}

/**
 * Announces a new issuer key in a secrets file. Gateways send it to agents from now on and sign with it from `signsFromMs` on; agents trust the previous key
 * until its last token has expired. No further steps are necessary. A crash leaves the file either unchanged or complete.
 *
 * @param signsFromMs when the new key starts to sign, in ms. Undefined: as soon as all agents know it
 * @throws {RotationRefusedError} if valid tokens would not open for some time; {@link SecretsFileError} if the file cannot be used or another rotation is in
 *   progress.
 */
export async function rotateIssuer(path: string, nowMs: number, signsFromMs?: number): Promise<IssuerEpochs> {
  const { epochs } = await changeSecrets(path, async (stored) => {
    const periods = [...stored.pastKeys, ...issuerKeyPeriods(stored.epochs)];
    const startMs = signsFromMs ?? earliestSigningMs(nowMs);
    const key = await nextKey(path, stored, new Set(periods.map(({ keyId }) => keyId)), startMs);
    const epochs = announceKey(stored.epochs, key, nowMs, signsFromMs);
    const pastKeys = periods.filter(({ keyId }) => !epochs.some((epoch) => epoch.key.keyId === keyId));
    return { ...stored, epochs, pastKeys, spareKeys: stored.spareKeys.filter((spare) => spare !== key) };
  });
  return epochs;
}

/** The key of the next epoch: one that the operator's root has certified, if there is a root, and a new one otherwise. */
async function nextKey(
  path: string,
  { spareKeys }: StoredSecrets,
  takenKeyIds: ReadonlySet<string>,
  startMs: number,
): Promise<IssuerKeyPair> {
  const certificates = await readIssuerCertificates(certificatesPath(path)).catch((cause: Error) => {
    throw new SecretsFileError(cause.message, { cause });
  });
  if (certificates === undefined) return await generateIssuerKey({ takenKeyIds });
  const certified = certifiedSpare(spareKeys, certificates, startMs);
  if (certified !== undefined) return certified;
  throw new SecretsFileError(
    `the operator's root has certified no key for an epoch that begins at ${new Date(startMs).toISOString()}: make some, and let them be certified (petak issuer request, petak issuer certify, petak issuer install)`,
  );
}

/**
 * Changes a secrets file, while no other process does. A crash leaves the file either unchanged or complete.
 *
 * @throws {SecretsFileError} if the file cannot be used, or another change is in progress; and what `change` throws, with the file unchanged
 */
export async function changeSecrets(path: string, change: (stored: StoredSecrets) => Promise<StoredSecrets>): Promise<StoredSecrets> {
  const lockPath = `${path}.lock`;
  await takeLock(lockPath, path);
  try {
    const changed = await change(await readExisting(path));
    await replaceSecretsFile(path, changed);
    return changed;
  } finally {
    await unlink(lockPath);
  }
}

async function readExisting(path: string) {
  const stored = await readSecretsFile(path).catch((cause: Error) => {
    throw new SecretsFileError(cause.message, { cause });
  });
  if (stored === undefined) throw new SecretsFileError(`${path} does not exist; a gateway creates it at its first start`);
  return stored;
}

async function takeLock(lockPath: string, path: string): Promise<void> {
  try {
    await (await open(lockPath, "wx", 0o600)).close();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") throw new SecretsFileError(`${path} does not exist; a gateway creates it at its first start`);
    if (code !== "EEXIST") throw new SecretsFileError(message, { cause: error });
    throw new SecretsFileError(`another change of the secrets is in progress, or was interrupted: if none is running, delete ${lockPath}`);
  }
}
