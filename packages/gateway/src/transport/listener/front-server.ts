import { createServer as createHttpServer, type Server as HttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { ServerLimits } from "../limits/server-limits.ts";
import { ServerStartError } from "./server-start-error.ts";

/** Certificate chain and private key, in PEM. */
export interface TlsIdentity {
  cert: string | Buffer;
  key: string | Buffer;
}

/**
 * Creates Node's HTTP/1.1 server, which listens on the port and enforces its limits.
 *
 * @throws {ServerStartError} if the certificate or key cannot be used
 */
export function createFrontServer(tls: TlsIdentity | undefined, limits: ServerLimits): HttpServer {
  const front = createHttp(tls, limits);
  front.keepAliveTimeout = limits.keepAliveTimeoutMs;
  front.timeout = 0;
  return front;
}

function createHttp(tls: TlsIdentity | undefined, limits: ServerLimits): HttpServer {
  const http = {
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    connectionsCheckingInterval: Math.min(1000, limits.headersTimeoutMs),
    noDelay: true,
  };
  if (tls === undefined) return createHttpServer(http);
  try {
    return createHttpsServer({
      ...http,
      ...tls,
      ALPNProtocols: ["h2", "http/1.1"],
      minVersion: "TLSv1.2",
      handshakeTimeout: limits.sniffTimeoutMs,
    });
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause);
    throw new ServerStartError("TLS", `The TLS certificate or key cannot be used: ${said}. Check --tls-cert and --tls-key.`, { cause });
  }
}
