import { readFile } from "node:fs/promises";
import { type Ed25519PrivateJwk, generateKeyPair, writePrivateFile } from "@petak/client/node";
import { decodeBase64url, fingerprintOfRoot, isLowOrderPoint, publicKeyOf } from "@petak/credential";
import {
  CertificatesFileError,
  certificatesText,
  certifyIssuerKeys,
  type IssuerCertificates,
  RootRefusedError,
  readIssuerCertificates,
  revokeIssuerKey,
} from "@petak/gateway";
import { CliFailure } from "../failure.ts";
import { isThere } from "../is-there.ts";
import type { Session } from "../session.ts";
import { writePublicFile } from "./public-file.ts";

/** Makes a root key, and prints its fingerprint. Throws a CliFailure if the file exists. */
export async function makeRootKey(session: Session, out: string): Promise<void> {
  const path = session.resolve(out);
  if (await isThere(path)) throw new CliFailure(`${out} already exists, and root keys are never overwritten. Give another file.`);
  const { privateJwk, publicKey } = await generateKeyPair();
  await writePrivateFile(path, privateJwk).catch((cause: Error) => {
    throw new CliFailure(`${out} could not be written: ${cause.message}.`, { cause });
  });
  const fingerprint = await fingerprintOfRoot(publicKey);
  session.output.json({ root: fingerprint, file: path });
  session.output.print(`Made the root key ${session.output.colors.cyan(fingerprint)}, in ${out}.`);
  session.output.print("Keep the file offline, and a copy elsewhere: without it no certificate can be made and no leaked key be ended.");
}

/** Certifies the keys of a request. */
export async function certify(session: Session, request: string, options: { root: string; out: string; days: number }): Promise<void> {
  const root = await readRootKey(session, options.root);
  const publicKeys = await readRequest(session, request);
  const before = await readCertificates(session, options.out);
  const nowMs = session.io.now();
  const signed = await orRefused(certifyIssuerKeys(root, publicKeys, { before, days: options.days, nowMs }));
  await writePublicFile(session, options.out, certificatesText(signed));
  const until = new Date(nowMs + options.days * 86_400_000).toISOString();
  session.output.json({ root: signed.root, certified: publicKeys.length, until, file: session.resolve(options.out) });
  session.output.print(`Certified ${publicKeys.length} keys until ${until.slice(0, 10)}, in ${options.out}.`);
  session.output.print(`On the gateway's machine:  ${session.output.colors.cyan(`npx petak issuer install ${options.out}`)}`);
}

/** Revokes an issuer key. */
export async function revoke(session: Session, keyId: string, options: { root: string; certificates: string }): Promise<void> {
  const root = await readRootKey(session, options.root);
  const before = await readCertificates(session, options.certificates);
  if (before === undefined) throw new CliFailure(`${options.certificates} does not exist; \`petak issuer certify\` writes it.`);
  const signed = await orRefused(revokeIssuerKey(root, keyId, { before, nowMs: session.io.now() }));
  await writePublicFile(session, options.certificates, certificatesText(signed));
  session.output.json({ root: signed.root, revoked: keyId, file: session.resolve(options.certificates) });
  session.output.print(`Revoked ${keyId}, in ${options.certificates}. It still signs until the file is installed.`);
  session.output.print(`On the gateway's machine, now:  ${session.output.colors.cyan(`npx petak issuer install ${options.certificates}`)}`);
}

/** Reads a file of certificates. Undefined: it does not exist. Throws a CliFailure if it is no such file. */
export async function readCertificates(session: Session, file: string): Promise<IssuerCertificates | undefined> {
  return await readIssuerCertificates(session.resolve(file)).catch((error: unknown) => {
    if (error instanceof CertificatesFileError) throw new CliFailure(`${error.message}.`, { cause: error });
    throw error;
  });
}

async function readRootKey(session: Session, file: string): Promise<Ed25519PrivateJwk> {
  try {
    const jwk = JSON.parse(await readFile(session.resolve(file), "utf8")) as Ed25519PrivateJwk;
    publicKeyOf(jwk);
    return jwk;
  } catch (cause) {
    throw new CliFailure(`${file} could not be read as a root key: ${(cause as Error).message}.`, { cause });
  }
}

async function readRequest(session: Session, file: string): Promise<Uint8Array[]> {
  let keys: unknown;
  try {
    keys = (JSON.parse(await readFile(session.resolve(file), "utf8")) as { issuer_keys?: unknown }).issuer_keys;
  } catch (cause) {
    throw new CliFailure(`${file} could not be read: ${(cause as Error).message}.`, { cause });
  }
  const read = Array.isArray(keys) ? keys.map((key: unknown) => (typeof key === "string" ? decodeBase64url(key) : undefined)) : [];
  const good = read.flatMap((key) => (key === undefined || isLowOrderPoint(key) ? [] : [key]));
  if (good.length === 0 || good.length < read.length) {
    throw new CliFailure(`${file} is not a request of \`petak issuer request\`: it must have 'issuer_keys' of 32 bytes each in base64url.`);
  }
  return good;
}

async function orRefused<Value>(work: Promise<Value>): Promise<Value> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof RootRefusedError) throw new CliFailure(`Nothing was signed: ${error.message}.`, { cause: error, reason: "root" });
    throw error;
  }
}
