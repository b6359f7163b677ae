import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { ServerStartError, type TlsIdentity } from "../transport/index.ts";

/** Paths of the files of a TLS server, in PEM. */
export interface TlsFiles {
  /** The certificate chain. */
  readonly cert: string;
  /** Its private key. */
  readonly key: string;
  /** The authorities of which clients must have a certificate. Default: clients need none. */
  readonly clientCa?: string;
}

/** What the settings are called, and what their files must contain. */
const settings = {
  cert: { flag: "--tls-cert", variable: "PETAK_TLS_CERT", content: "the certificate chain in PEM" },
  key: { flag: "--tls-key", variable: "PETAK_TLS_KEY", content: "the certificate's private key in PEM, without a passphrase" },
  clientCa: { flag: "--tls-client-ca", variable: "PETAK_TLS_CLIENT_CA", content: "the authorities of clients in PEM" },
} as const satisfies Record<keyof TlsFiles, object>;

/** Why a file cannot be read, by the system's code. */
const readProblems: Readonly<Record<string, string>> = {
  ENOENT: "which does not exist",
  EACCES: "which this user may not read",
  EISDIR: "which is a folder",
};

/**
 * Reads the files.
 *
 * @throws {ServerStartError} if one cannot be read, has no PEM, or the key is another certificate's; the message names setting and path
 */
export async function readTlsFiles(files: TlsFiles): Promise<TlsIdentity> {
  const cert = await readPem("cert", files.cert, (text) => new X509Certificate(text));
  const key = await readPem("key", files.key, createPrivateKey);
  if (!cert.parsed.checkPrivateKey(key.parsed)) {
    const remedy = "write both files of the same renewal";
    throw new ServerStartError(
      "TLS",
      `The key in ${files.key} (--tls-key) does not belong to the certificate in ${files.cert} (--tls-cert): ${remedy}.`,
    );
  }
  const { clientCa } = files;
  if (clientCa === undefined) return { cert: cert.text, key: key.text };
  return { cert: cert.text, key: key.text, clientCa: (await readPem("clientCa", clientCa, (text) => new X509Certificate(text))).text };
}

/** Why clients refuse a certificate at a time, in ms since 1970. Undefined: its time is right. */
export function validityProblem({ cert }: Pick<TlsIdentity, "cert">, nowMs: number): string | undefined {
  const { validFromDate, validToDate } = new X509Certificate(cert);
  if (nowMs > validToDate.getTime()) return `it expired at ${validToDate.toISOString()}: renew it`;
  if (nowMs < validFromDate.getTime()) {
    return `it is not valid before ${validFromDate.toISOString()}: check this machine's clock, or wait`;
  }
  return undefined;
}

/** When a certificate ends, in ms since 1970. */
export function endOf({ cert }: Pick<TlsIdentity, "cert">): number {
  return new X509Certificate(cert).validToDate.getTime();
}

async function readPem<Parsed>(
  name: keyof TlsFiles,
  path: string,
  parse: (text: string) => Parsed,
): Promise<{ readonly text: string; readonly parsed: Parsed }> {
  const { flag, variable, content } = settings[name];
  const refusal = (problem: string, cause: unknown) =>
    new ServerStartError("TLS", `${flag} (${variable}) names ${path}, ${problem}. It must be a file with ${content}.`, { cause });
  const text = await readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
    throw refusal(readProblems[cause.code ?? ""] ?? `which cannot be read (${cause.message})`, cause);
  });
  try {
    return { text, parsed: parse(text) };
  } catch (cause) {
    throw refusal("which has something else in it", cause);
  }
}
