import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import {
  decodeBase64url,
  encodeBase64url,
  fingerprintOfRoot,
  type IssuerKeyPair,
  judgeKeyStatement,
  type KeyStatement,
  type KeyStatementType,
  type StatementFault,
} from "@petak/credential";

/** Name of the file of certificates, beside the secrets. */
export const certificatesFileName = "issuer-certificates.json";

/** A certificate or a revocation, as it was signed and as it was read. */
export interface SignedStatement extends KeyStatement {
  readonly text: string;
}

/** What the operator's root key states of issuer keys. All of it is public. */
export interface IssuerCertificates {
  /** 32 bytes. */
  readonly rootKey: Uint8Array;
  /** The fingerprint of the root key. */
  readonly root: string;
  /** Those that have expired too. */
  readonly certificates: readonly SignedStatement[];
  readonly revocations: readonly SignedStatement[];
}

/** A file of certificates cannot be used. The message says why. */
export class CertificatesFileError extends Error {
  override readonly name = "CertificatesFileError";
}

/** Format of a file of certificates. */
interface WrittenCertificates {
  version: 1;
  /** The root key, in base64url. */
  root_key: string;
  certificates: string[];
  revocations: string[];
}

/** Path of the certificates of a secrets file. */
export function certificatesPath(secretsPath: string): string {
  return join(dirname(secretsPath), certificatesFileName);
}

/**
 * Reads a file of certificates. Undefined: it does not exist.
 *
 * @throws {CertificatesFileError} if it is no such file, or its root did not sign all of it
 */
export async function readIssuerCertificates(path: string): Promise<IssuerCertificates | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new CertificatesFileError(`${path} could not be read: ${(error as Error).message}`, { cause: error });
  }
  const written = parse(path, text);
  const rootKey = decodeBase64url(written.root_key);
  if (rootKey?.length !== 32) throw new CertificatesFileError(`${path} must have a root_key of 32 bytes in base64url`);
  const [certificates, revocations] = await Promise.all([
    readAll(path, written.certificates, "certificate", rootKey),
    readAll(path, written.revocations, "revocation", rootKey),
  ]);
  return { rootKey, root: await fingerprintOfRoot(rootKey), certificates, revocations };
}

/** The text of a file of certificates. */
export function certificatesText({ rootKey, certificates, revocations }: Omit<IssuerCertificates, "root">): string {
  const written: WrittenCertificates = {
    version: 1,
    root_key: encodeBase64url(rootKey),
    certificates: certificates.map(({ text }) => text),
    revocations: revocations.map(({ text }) => text),
  };
  return `${JSON.stringify(written, undefined, 2)}\n`;
}

/** The certificate of a key that lasts longest. Undefined: it has none. Its time may not have come, or be over. */
export function certificateOf(all: IssuerCertificates | undefined, publicKey: Uint8Array): SignedStatement | undefined {
  return all?.certificates
    .filter((statement) => isOf(statement, publicKey))
    .reduce<SignedStatement | undefined>((best, next) => (best === undefined || next.notAfterS > best.notAfterS ? next : best), undefined);
}

/** Whether the root has revoked a key. */
export function isRevoked(all: IssuerCertificates | undefined, publicKey: Uint8Array): boolean {
  return all?.revocations.some((statement) => isOf(statement, publicKey)) === true;
}

/** The first key made in advance that the root has certified until after a time, in ms. */
export function certifiedSpare(
  spareKeys: readonly IssuerKeyPair[],
  certificates: IssuerCertificates,
  atMs: number,
): IssuerKeyPair | undefined {
  return spareKeys.find(({ publicKey }) => isCertified(publicKey, certificates, atMs));
}

/** Whether the root has certified a key, at a time in ms, and not revoked it. */
export function isCertified(publicKey: Uint8Array, certificates: IssuerCertificates, atMs: number): boolean {
  return !isRevoked(certificates, publicKey) && atMs < (certificateOf(certificates, publicKey)?.notAfterS ?? 0) * 1000;
}

/** Judges a certificate or revocation of an issuer's key, whatever the time is. */
export async function readStatement(text: string, type: KeyStatementType, rootKey: Uint8Array): Promise<SignedStatement | StatementFault> {
  const judged = await judgeKeyStatement(text, { type, rootKey, kind: "issuer" });
  return typeof judged === "string" ? judged : { ...judged, text };
}

function readAll(path: string, texts: readonly string[], type: KeyStatementType, rootKey: Uint8Array): Promise<SignedStatement[]> {
  return Promise.all(
    texts.map(async (text, index) => {
      const read = await readStatement(text, type, rootKey);
      if (typeof read !== "string") return read;
      throw new CertificatesFileError(`${path}: ${type} ${index + 1} is not good (${read}; docs/credentials.md says what that means)`);
    }),
  );
}

function parse(path: string, text: string): WrittenCertificates {
  const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every((one) => typeof one === "string");
  try {
    const written = JSON.parse(text) as Partial<WrittenCertificates>;
    const { version, root_key, certificates, revocations } = written;
    if (version === 1 && typeof root_key === "string" && isTexts(certificates) && isTexts(revocations))
      return written as WrittenCertificates;
  } catch (cause) {
    throw new CertificatesFileError(`${path} is not JSON`, { cause });
  }
  throw new CertificatesFileError(`${path} is not a file of issuer certificates of version 1`);
}

function isOf({ publicKey }: KeyStatement, other: Uint8Array): boolean {
  return Buffer.compare(publicKey, other) === 0;
}
