import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { SecureContextOptions } from "node:tls";
import type { Interceptor, Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport, Http2SessionManager } from "@connectrpc/connect-node";

/** How requests are spelt on the wire. */
export type WireProtocol = "connect" | "connect-json" | "grpc" | "grpc-web";

/** What TLS needs to know beyond the system's own authorities. */
export interface TlsOptions extends Pick<SecureContextOptions, "ca" | "cert" | "key"> {
  /** The name that the gateway's certificate must carry, where it is not the address's own. */
  servername?: string;
}

/** What a transport needs. */
export interface TransportOptions {
  baseUrl: string;
  protocol: WireProtocol;
  tls: TlsOptions | undefined;
  interceptors: Interceptor[];
}

/** A transport, and the end of its connections. */
export interface OwnedTransport {
  readonly transport: Transport;
  close(): void;
}

/** No message of the protocol comes near it; the default of 4 GiB would let a broken server fill the memory. */
const messageMaxBytes = 16 * 1024 * 1024;

/**
 * Makes the transport of a protocol. Connect and gRPC-Web go over HTTP/1.1 with kept connections: it passes every proxy, and a connection
 * that died is found at the next request, where a dead HTTP/2 session would take all calls with it until its time-out. gRPC is defined on
 * HTTP/2 only, in cleartext by prior knowledge.
 */
export function createTransport(options: TransportOptions): OwnedTransport {
  const { baseUrl, protocol, tls, interceptors } = options;
  const common = { baseUrl, interceptors, readMaxBytes: messageMaxBytes, writeMaxBytes: messageMaxBytes };
  if (protocol === "grpc") {
    const sessionManager = new Http2SessionManager(baseUrl, undefined, tls);
    return { transport: createGrpcTransport({ ...common, sessionManager }), close: () => sessionManager.abort() };
  }
  const agent = baseUrl.startsWith("https:") ? new HttpsAgent({ keepAlive: true, ...tls }) : new HttpAgent({ keepAlive: true });
  const http1 = { ...common, httpVersion: "1.1", nodeOptions: { agent } } as const;
  const transport =
    protocol === "grpc-web" ? createGrpcWebTransport(http1) : createConnectTransport({ ...http1, useBinaryFormat: protocol === "connect" });
  return { transport, close: () => agent.destroy() };
}
