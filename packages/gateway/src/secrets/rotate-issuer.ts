import { open, unlink } from "node:fs/promises";
import { generateIssuerKey, type IssuerKeyPeriod } from "@petak/credential";
import { type IssuerEpochs, issuerKeyPeriods } from "./issuer-epochs.ts";
import { announceKey } from "./rotation.ts";
import { readSecretsFile, replaceSecretsFile } from "./secrets-file.ts";

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
  const lockPath = `${path}.lock`;
  await takeLock(lockPath, path);
  try {
    const stored = await readExisting(path);
    const periods = [...stored.pastKeys, ...issuerKeyPeriods(stored.epochs)];
    const takenKeyIds = new Set(periods.map(({ keyId }) => keyId));
    const epochs = announceKey(stored.epochs, await generateIssuerKey({ takenKeyIds }), nowMs, signsFromMs);
    const pastKeys = periods.filter(({ keyId }) => !epochs.some(({ key }) => key.keyId === keyId));
    await replaceSecretsFile(path, { ...stored, epochs, pastKeys });
    return epochs;
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
    throw new SecretsFileError(`another rotation is in progress, or was interrupted: if none is running, delete ${lockPath}`);
  }
}
