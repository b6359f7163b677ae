import { randomBytes } from "node:crypto";
import { chown, link, mkdir, open, readFile, rename, stat, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import {
  type Ed25519PrivateJwk,
  generateIssuerKey,
  type IssuerKeyPair,
  type IssuerKeyPeriod,
  issuerKeyFrom,
  type PublishedIssuerKey,
  readIssuerKeySet,
  toIssuerKeySet,
} from "@petak/credential";
import type { IssuerEpoch, IssuerEpochs } from "./issuer-epochs.ts";

/** A secrets file has a version that this release does not read. The message is one sentence. */
export class SecretsVersionError extends Error {
  override readonly name = "SecretsVersionError";
}

/** Content of a secrets file. */
export interface StoredSecrets {
  readonly epochs: IssuerEpochs;
  /** The public keys of earlier epochs, oldest first, for the verification of old receipts. */
  readonly pastKeys: readonly IssuerKeyPeriod[];
  /** Keys of epochs to come, made in advance so that the operator's root can certify them. */
  readonly spareKeys: readonly IssuerKeyPair[];
  /** 32 bytes. */
  readonly derivationKey: Uint8Array;
}

/** Format of an epoch. Times are in RFC 3339. */
interface WrittenEpoch {
  private_jwk: Ed25519PrivateJwk;
  announced_at: string;
  signs_from: string;
  not_after?: string;
}

/** The version of secrets files that this release writes, and the latest that it reads. A file without a version has version 1. */
const fileVersion = 1;

/** Format of a secrets file. Files of versions without epochs have `issuer_private_jwk` instead. */
interface WrittenSecrets {
  version?: number;
  derivation_key?: string;
  issuer_epochs?: WrittenEpoch[];
  past_issuer_keys?: PublishedIssuerKey[];
  spare_issuer_keys?: Ed25519PrivateJwk[];
  issuer_private_jwk?: Ed25519PrivateJwk;
}

/** Reads a secrets file. Undefined: it does not exist. @throws {Error} if the file is not a secrets file; {@link SecretsVersionError} */
export async function readSecretsFile(path: string): Promise<StoredSecrets | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    const written = JSON.parse(text) as WrittenSecrets;
    requireVersion(path, written.version);
    const derivationKey = Buffer.from(written.derivation_key ?? "", "base64url");
    if (derivationKey.length !== 32) throw new TypeError("derivation_key must have 32 bytes in base64url");
    const pastKeys = await readIssuerKeySet({ keys: written.past_issuer_keys ?? [] });
    const spareKeys = await Promise.all((written.spare_issuer_keys ?? []).map(issuerKeyFrom));
    return { epochs: await readEpochs(written), pastKeys, spareKeys, derivationKey };
  } catch (cause) {
    if (cause instanceof SecretsVersionError) throw cause;
    throw new Error(`${path} is not the secrets file of a gateway`, { cause });
  }
}

/**
 * Creates a secrets file for this user only, unless it exists, and returns its content. If two processes do so concurrently, one creates the secrets and
 * both get them.
 */
export async function makeSecretsFile(path: string, nowMs: number): Promise<StoredSecrets> {
  const key = await generateIssuerKey();
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const epochs = [{ key, announcedAtMs: nowMs, signsFromMs: nowMs }] as const;
  const draft = await writeDraft(path, textOf({ epochs, pastKeys: [], spareKeys: [], derivationKey: randomBytes(32) }));
  try {
    // `link` fails if the file exists, whereas `rename` would replace it.
    await link(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    await unlink(draft);
  }
  const made = await readSecretsFile(path);
  if (made === undefined) throw new Error(`${path} was deleted while it was read`);
  return made;
}

/** Replaces a secrets file atomically and durably: readers see the old file or the new one, and a crash leaves one of them. */
export async function replaceSecretsFile(path: string, secrets: StoredSecrets): Promise<void> {
  await replaceFile(path, textOf(secrets), path);
}

/** Writes or replaces a file beside a secrets file in the same way, for the same user. */
export async function replaceFile(path: string, text: string, secretsPath: string): Promise<void> {
  const { uid, gid } = await stat(secretsPath);
  const draft = await writeDraft(path, text);
  try {
    // A change by the superuser must keep the file readable for the gateway's user.
    if (process.geteuid?.() === 0) await chown(draft, uid, gid);
    await rename(draft, path);
  } catch (error) {
    await unlink(draft);
    throw error;
  }
  const folder = await open(dirname(path));
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function textOf({ epochs, pastKeys, spareKeys, derivationKey }: StoredSecrets): string {
  const written: WrittenSecrets = {
    version: fileVersion,
    derivation_key: Buffer.from(derivationKey).toString("base64url"),
    issuer_epochs: epochs.map(({ key, announcedAtMs, signsFromMs, notAfterMs }) => ({
      private_jwk: key.privateJwk,
      announced_at: new Date(announcedAtMs).toISOString(),
      signs_from: new Date(signsFromMs).toISOString(),
      ...(notAfterMs === undefined ? {} : { not_after: new Date(notAfterMs).toISOString() }),
    })),
    ...(pastKeys.length === 0 ? {} : { past_issuer_keys: toIssuerKeySet(pastKeys).keys }),
    ...(spareKeys.length === 0 ? {} : { spare_issuer_keys: spareKeys.map(({ privateJwk }) => privateJwk) }),
  };
  return `${JSON.stringify(written, null, 2)}\n`;
}

async function writeDraft(path: string, text: string): Promise<string> {
  const draft = `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;
  const handle = await open(draft, "wx", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return draft;
}

function requireVersion(path: string, version: unknown = 1): void {
  if (typeof version !== "number") throw new TypeError("version must be a number");
  if (version <= fileVersion) return;
  throw new SecretsVersionError(
    `${path} has version ${version} and this release reads only version ${fileVersion}: start a later release that reads version ${version}, or put the file back from before it`,
  );
}

async function readEpochs({ issuer_epochs, issuer_private_jwk }: WrittenSecrets): Promise<IssuerEpochs> {
  if (issuer_epochs === undefined && issuer_private_jwk !== undefined) {
    return [{ key: await issuerKeyFrom(issuer_private_jwk), announcedAtMs: 0, signsFromMs: 0 }];
  }
  const [first, second, ...more] = await Promise.all((issuer_epochs ?? []).map(readEpoch));
  if (first === undefined || more.length > 0) throw new TypeError("issuer_epochs must have one entry or two");
  if (second === undefined) return [first];
  const isInOrder = first.signsFromMs < second.signsFromMs && (first.notAfterMs ?? 0) > second.signsFromMs;
  if (!isInOrder || first.key.keyId === second.key.keyId) {
    throw new TypeError(
      "issuer_epochs must be two keys with different ids, the older first, with not_after later than signs_from of the newer one",
    );
  }
  return [first, second];
}

async function readEpoch({ private_jwk, announced_at, signs_from, not_after }: WrittenEpoch): Promise<IssuerEpoch> {
  return {
    key: await issuerKeyFrom(private_jwk),
    announcedAtMs: readTime(announced_at),
    signsFromMs: readTime(signs_from),
    ...(not_after === undefined ? {} : { notAfterMs: readTime(not_after) }),
  };
}

function readTime(text: string): number {
  const timeMs = Date.parse(text);
  if (Number.isNaN(timeMs)) throw new TypeError(`'${text}' is not a time`);
  return timeMs;
}
