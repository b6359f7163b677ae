import { setTimeout as pause } from "node:timers/promises";
import type { Logger, Metrics } from "../observability/index.ts";
import { type OnePortServer, ServerStartError, type TlsIdentity } from "../transport/index.ts";
import { endOf, readTlsFiles, type TlsFiles, validityProblem } from "./tls-files.ts";

/** Options of {@link watchTlsFiles}. */
export interface TlsWatchOptions {
  readonly files: TlsFiles;
  /** What the server uses now. */
  readonly used: TlsIdentity;
  readonly server: Pick<OnePortServer, "replaceTls">;
  readonly intervalMs: number;
  readonly metrics: Pick<Metrics, "tlsCertificateEnd">;
  readonly logger: Logger;
  /** The clock of certificates. Default: the system's. */
  readonly now?: () => number;
}

/** Files that are read again and again. */
export interface TlsWatch {
  /** What the server uses now. */
  current(): TlsIdentity;
  /** Reads the files now, and says in the log what came of it. Never rejects. */
  reload(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Reads the files again and again, and lets the server use what they contain now. Reading works where events of file systems do not, on network drives and
 * with the links of container secrets. What cannot be used is logged once and tried at each reading, and the server continues with what it has: certificate and
 * key are two files, which may not match for a moment, and a certificate of tomorrow is good tomorrow.
 */
export function watchTlsFiles({ files, used, server, intervalMs, metrics, logger, now = Date.now }: TlsWatchOptions): TlsWatch {
  const stopping = new AbortController();
  let current = used;
  /** Why the files were refused last; empty: they were not. */
  let refused = "";
  let reading = Promise.resolve();

  async function read(isAsked: boolean): Promise<void> {
    try {
      const next = await readTlsFiles(files);
      const isSame = JSON.stringify(next) === JSON.stringify(current);
      if (!isSame) replace(next);
      else if (isAsked) logger.info("the TLS files are as before");
      refused = "";
    } catch (err) {
      const reason = String(err);
      if (isAsked || reason !== refused)
        logger.error({ err, ...files }, "the TLS files cannot be used; the gateway continues with the certificate it has");
      refused = reason;
    }
    showEnd();
  }

  function replace(next: TlsIdentity): void {
    const problem = validityProblem(next, now());
    if (problem !== undefined) throw new ServerStartError("TLS", `The certificate in ${files.cert} cannot be used: ${problem}.`);
    server.replaceTls(next);
    current = next;
    logger.info({ endsAt: new Date(endOf(next)).toISOString() }, "the gateway uses a new TLS certificate");
  }

  /** One reading at a time. */
  function readNext(isAsked: boolean): Promise<void> {
    reading = reading.then(() => read(isAsked));
    return reading;
  }

  function showEnd(): void {
    metrics.tlsCertificateEnd.set((endOf(current) - now()) / 1000);
  }

  async function run(): Promise<void> {
    for (;;) {
      await pause(intervalMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (stopping.signal.aborted) return;
      await readNext(false);
    }
  }

  showEnd();
  const problem = validityProblem(used, now());
  // A gateway that has to start again is worth more than one that does not: proxies and pinned clients still reach it.
  if (problem !== undefined) logger.error({ cert: files.cert }, `the TLS certificate is refused by clients: ${problem}`);
  const ended = run();
  return {
    current: () => current,
    reload: () => readNext(true),
    async stop() {
      stopping.abort();
      await ended;
      await reading;
    },
  };
}
