import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { TlsOptions } from "./client-tls.ts";

/** Paths of a client's TLS files, in PEM. */
export interface ClientTlsFiles {
  /** The authorities of which the gateway must have a certificate. Default: the system's. */
  readonly ca?: string | undefined;
  /** The client's certificate chain, for a gateway that wants one. Together with `key`. */
  readonly cert?: string | undefined;
  /** Its private key. */
  readonly key?: string | undefined;
}

/** A TLS file that cannot be used. The message names its path and says what to do. */
export class TlsFileError extends Error {
  override readonly name = "TlsFileError";
}

/**
 * Returns a function that reads TLS settings from files. As the option `tls` of a client it is called for each new connection, so that a renewed certificate is
 * used without a restart. Files that cannot be used are passed over while those of the last reading can: certificate and key may not match for a moment.
 *
 * The function throws a {@link TlsFileError}.
 */
export function tlsFromFiles(files: ClientTlsFiles): () => TlsOptions {
  let last: TlsOptions | undefined;
  return () => {
    try {
      last = readTls(files);
      return last;
    } catch (error) {
      if (last === undefined || isOver(last)) throw error;
      return last;
    }
  };
}

function readTls({ ca, cert, key }: ClientTlsFiles): TlsOptions {
  const authorities = ca === undefined ? {} : { ca: read(ca, "authorities in PEM", (text) => new X509Certificate(text)).text };
  if (cert === undefined && key === undefined) return authorities;
  if (cert === undefined) throw new TlsFileError("a client's key needs its certificate");
  if (key === undefined) throw new TlsFileError("a client's certificate needs its key");
  const certificate = read(cert, "the client's certificate chain in PEM", (text) => new X509Certificate(text));
  const privateKey = read(key, "the private key of the client's certificate in PEM, without a passphrase", createPrivateKey);
  if (!certificate.parsed.checkPrivateKey(privateKey.parsed)) {
    throw new TlsFileError(`the key in ${key} does not belong to the certificate in ${cert}: write both files of the same renewal`);
  }
  const { validToDate } = certificate.parsed;
  if (validToDate.getTime() < Date.now()) {
    throw new TlsFileError(`the certificate in ${cert} expired at ${validToDate.toISOString()}: renew it`);
  }
  return { ...authorities, cert: certificate.text, key: privateKey.text };
}

function isOver({ cert }: TlsOptions): boolean {
  return typeof cert === "string" && new X509Certificate(cert).validToDate.getTime() < Date.now();
}

function read<Parsed>(path: string, content: string, parse: (text: string) => Parsed) {
  const refusal = (problem: string, cause: unknown) => new TlsFileError(`${path} ${problem}: it must be a file with ${content}`, { cause });
  let text: string;
  try {
    // A few kilobytes for each connection, of which a client makes few.
    text = readFileSync(path, "utf8");
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw refusal(code === "ENOENT" ? "does not exist" : `cannot be read (${code ?? message})`, cause);
  }
  try {
    return { text, parsed: parse(text) };
  } catch (cause) {
    throw refusal("has something else in it", cause);
  }
}
