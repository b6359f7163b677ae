import { createPrivateKey, createPublicKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { hostname, networkInterfaces } from "node:os";
import { writePrivateText } from "@petak/client/node";
import type { CertificatePaths } from "../device/data-directory.ts";
import { authorityExtensions, certificatePem, serverExtensions } from "./x509.ts";

/** A certificate with its key, both in PEM. */
export interface CertifiedKey {
  readonly cert: string;
  readonly key: string;
}

/** What a store's server shows, and what its tablets must trust. */
export interface StoreCertificate {
  /** The server's, with the authority's after it. */
  readonly server: CertifiedKey;
  readonly authority: CertifiedKey;
}

const dayMs = 24 * 3_600_000;
const authorityMs = 3650 * dayMs;
/** As long as browsers take a server's certificate for. */
const serverMs = 397 * dayMs;
/** A certificate is good from a little before it was made, since a tablet's clock may be behind. */
const earlierMs = dayMs;

/** The addresses for which an authority may speak: those that are used within a shop. A stolen one is good for no public site. */
const privateRanges = [
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "fc00::/7",
  "fe80::/10",
  "::1/128",
];

/** The names and addresses of this device. */
export function ownHosts(): string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  const names = ["localhost", hostname(), `${hostname()}.local`].map((name) => name.toLowerCase());
  return [...new Set([...names, ...addresses.map(({ address }) => address.replace(/%.*$/, ""))])].filter((host) => host !== "");
}

/**
 * Makes a certificate for a store's server, and an authority if there is none yet: tablets trust the authority, so the server's can be made anew without them.
 *
 * @param hosts names and addresses by which tablets call the server
 * @param before the authority that was made earlier. It must permit the names
 */
export function makeStoreCertificate(hosts: readonly string[], nowMs: number, before?: CertifiedKey): StoreCertificate {
  const names = hosts.filter((host) => /[a-z]/i.test(host) && !host.includes(":"));
  const authority = before ?? makeAuthority(names, nowMs);
  const signingKey = createPrivateKey(authority.key);
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const cert = certificatePem({
    subject: hosts[0] ?? "localhost",
    subjectKey: publicKey,
    issuer: subjectOf(authority.cert),
    issuerKey: createPublicKey(signingKey),
    signingKey,
    notBeforeMs: nowMs - earlierMs,
    notAfterMs: nowMs + serverMs,
    extensions: serverExtensions(hosts),
  });
  return { authority, server: { cert: `${cert}${authority.cert}`, key: pem(privateKey) } };
}

function makeAuthority(names: readonly string[], nowMs: number): CertifiedKey {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const subject = `Petak store ${hostname()} ${new Date(nowMs).toISOString().slice(0, 10)}`;
  const itself = { subject, subjectKey: publicKey, issuer: subject, issuerKey: publicKey, signingKey: privateKey };
  const times = { notBeforeMs: nowMs - earlierMs, notAfterMs: nowMs + authorityMs };
  return { cert: certificatePem({ ...itself, ...times, extensions: authorityExtensions(names, privateRanges) }), key: pem(privateKey) };
}

/** The names and addresses of a certificate. */
export function hostsIn(cert: string): string[] {
  const { subjectAltName = "" } = new X509Certificate(cert);
  return subjectAltName.split(", ").map((part) => part.replace(/^(DNS|IP Address):/, ""));
}

/** The SHA-256 of a certificate, as browsers and telephones show it. */
export function fingerprintOf(cert: string): string {
  return new X509Certificate(cert).fingerprint256;
}

function subjectOf(cert: string): string {
  return new X509Certificate(cert).subject.replace(/^CN=/, "");
}

function pem(key: ReturnType<typeof createPrivateKey>): string {
  return key.export({ type: "pkcs8", format: "pem" }) as string;
}

/** Reads a store's certificate. Undefined: none was made. */
export async function readStoreCertificate(paths: CertificatePaths): Promise<StoreCertificate | undefined> {
  const read = (path: string) => readFile(path, "utf8");
  try {
    return {
      server: { cert: await read(paths.serverCert), key: await read(paths.serverKey) },
      authority: { cert: await read(paths.authorityCert), key: await read(paths.authorityKey) },
    };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Writes a store's certificate, so that only the device's owner can read it. */
export async function writeStoreCertificate(paths: CertificatePaths, { server, authority }: StoreCertificate): Promise<void> {
  await writePrivateText(paths.authorityKey, authority.key);
  await writePrivateText(paths.authorityCert, authority.cert);
  await writePrivateText(paths.serverKey, server.key);
  await writePrivateText(paths.serverCert, server.cert);
}
