import { open, unlink } from "node:fs/promises";
import { generateIssuerKey, type IssuerKeyPeriod } from "@petak/credential";
import { type IssuerEpochs, issuerKeyPeriods } from "./issuer-epochs.ts";
import { announceKey } from "./rotation.ts";
import { readSecretsFile, replaceSecretsFile } from "./secrets-file.ts";

/** A secrets file that cannot be worked on. The message says why and the way out. */
export class SecretsFileError extends Error {
  override readonly name = "SecretsFileError";
}

/** The issuer's keys in a secrets file, past and present. @throws {SecretsFileError} where there is none. */
export async function readIssuerKeyPeriods(path: string): Promise<IssuerKeyPeriod[]> {
  const { pastKeys, epochs } = await readExisting(path);
  return [...pastKeys, ...issuerKeyPeriods(epochs)];
}

/** The issuer epochs in a secrets file. @throws {SecretsFileError} where there is none. */
export async function readIssuerEpochs(path: string): Promise<IssuerEpochs> {
  return (await readExisting(path)).epochs;
}

/**
 * Announces a new issuer key in a secrets file: gateways tell agents of it from now on, sign with it from `signsFromMs` on, and agents rely
 * on the one before until its last token has expired. That is all there is to do: what follows comes with time. A crash leaves the file as it was
 * or as it is afterwards.
 *
 * @param signsFromMs when the new key is to sign first, in ms. Undefined: as early as no agent can miss it
 * @throws {RotationRefusedError} where tokens would not open for some time, {@link SecretsFileError} where there is no such file or somebody
 * else rotates.
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
  if (stored === undefined) throw new SecretsFileError(`${path} does not exist; a gateway makes it at its first start`);
  return stored;
}

async function takeLock(lockPath: string, path: string): Promise<void> {
  try {
    await (await open(lockPath, "wx", 0o600)).close();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") throw new SecretsFileError(`${path} does not exist; a gateway makes it at its first start`);
    if (code !== "EEXIST") throw new SecretsFileError(message, { cause: error });
    throw new SecretsFileError(`somebody else rotates, or did and was broken off: where nobody does, delete ${lockPath}`);
  }
}
