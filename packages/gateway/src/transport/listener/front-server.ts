import { X509Certificate } from "node:crypto";
import { createServer as createHttpServer, type Server as HttpServer } from "node:http";
import { createServer as createHttpsServer, type Server as HttpsServer } from "node:https";
import { createSecureContext } from "node:tls";
import type { ServerLimits } from "../limits/server-limits.ts";
import { ServerStartError } from "./server-start-error.ts";

/** Certificate chain and private key, in PEM. */
export interface TlsIdentity {
  cert: string;
  key: string;
  /** The authorities of which clients must have a certificate. Default: clients need none. */
  clientCa?: string;
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

/**
 * Uses another certificate for all handshakes from now on. Open connections keep the one that they have.
 *
 * @param front was created with TLS
 * @throws {ServerStartError} if the certificate or key cannot be used; the server continues with those before
 */
export function replaceTlsIdentity(front: HttpServer, tls: TlsIdentity): void {
  explained(() => {
    // Node's server would keep half of what it cannot use.
    createSecureContext(secureContextOf(tls));
    (front as HttpsServer).setSecureContext(secureContextOf(tls));
  });
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
  return explained(() =>
    createHttpsServer({
      ...http,
      ...secureContextOf(tls),
      ...(tls.clientCa !== undefined && { requestCert: true, rejectUnauthorized: true }),
      ALPNProtocols: ["h2", "http/1.1"],
      handshakeTimeout: limits.sniffTimeoutMs,
    }),
  );
}

/** OpenSSL takes the newest version that both sides have, which is 1.3 with all but old clients. */
function secureContextOf({ cert, key, clientCa }: TlsIdentity) {
  // Node takes an empty text for no certificate, and would then refuse every handshake.
  new X509Certificate(cert);
  // Node takes an empty text for its own list of public authorities, and would then hear whoever has a certificate of one of them.
  if (clientCa !== undefined) new X509Certificate(clientCa);
  return { cert, key, ...(clientCa !== undefined && { ca: clientCa }), minVersion: "TLSv1.2" } as const;
}

function explained<Result>(use: () => Result): Result {
  try {
    return use();
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause);
    const flags = "--tls-cert and --tls-key, and --tls-client-ca if you use it";
    throw new ServerStartError("TLS", `The TLS certificate or key cannot be used: ${said}. Check ${flags}.`, { cause });
  }
}
