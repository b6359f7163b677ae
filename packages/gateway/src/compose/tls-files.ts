import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import type { Logger, Metrics } from "../observability/index.ts";
import type { OnePortServer, TlsIdentity } from "../transport/index.ts";

/** Paths of the files of a TLS server, in PEM. */
export interface TlsFiles {
  /** The certificate chain. */
  readonly cert: string;
  /** Its private key. */
  readonly key: string;
  /** The authorities of which clients must have a certificate. Default: clients need none. */
  readonly clientCa?: string;
}

/** Reads the files. */
export async function readTlsFiles({ cert, key, clientCa }: TlsFiles): Promise<TlsIdentity> {
  return {
    cert: await readFile(cert, "utf8"),
    key: await readFile(key, "utf8"),
    ...(clientCa !== undefined && { clientCa: await readFile(clientCa, "utf8") }),
  };
}

/** Options of {@link watchTlsFiles}. */
export interface TlsWatchOptions {
  readonly files: TlsFiles;
  /** What the server uses now. */
  readonly used: TlsIdentity;
  readonly server: Pick<OnePortServer, "replaceTls">;
  readonly intervalMs: number;
  readonly metrics: Pick<Metrics, "tlsCertificateEnd">;
  readonly logger: Logger;
}

/**
 * Reads the files again and again, and lets the server use what they contain now. Reading works where events of file systems do not, on network drives and
 * with the links of container secrets. What cannot be used is logged once, and the server continues with what it has: certificate and key are two files, which
 * may not match for a moment.
 */
export function watchTlsFiles({ files, used, server, intervalMs, metrics, logger }: TlsWatchOptions): { stop(): Promise<void> } {
  const stopping = new AbortController();
  let current = used;
  /** What was refused last: the contents, or why they could not be read. */
  let refused = "";

  async function once(): Promise<void> {
    let seen = "";
    try {
      const next = await readTlsFiles(files);
      seen = JSON.stringify(next);
      if (seen !== JSON.stringify(current) && seen !== refused) replace(next);
      // The files are as before, perhaps again.
      if (seen !== refused) refused = "";
    } catch (err) {
      const reason = seen === "" ? String(err) : seen;
      if (reason !== refused)
        logger.error({ err, ...files }, "the TLS files cannot be used; the gateway continues with the certificate it has");
      refused = reason;
    }
  }

  function replace(next: TlsIdentity): void {
    const endsAtMs = endOf(next);
    if (endsAtMs < Date.now()) throw new Error(`The certificate ended at ${new Date(endsAtMs).toISOString()}.`);
    server.replaceTls(next);
    current = next;
    logger.info({ endsAt: new Date(endsAtMs).toISOString() }, "the gateway uses a new TLS certificate");
  }

  async function run(): Promise<void> {
    for (;;) {
      metrics.tlsCertificateEnd.set((endOf(current) - Date.now()) / 1000);
      await pause(intervalMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (stopping.signal.aborted) return;
      await once();
    }
  }

  const ended = run();
  return {
    async stop() {
      stopping.abort();
      await ended;
    },
  };
}

/** When the server's certificate ends, in ms since 1970. */
function endOf({ cert }: TlsIdentity): number {
  return Date.parse(new X509Certificate(cert).validTo);
}
