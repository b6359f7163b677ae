import { Agent as HttpAgent } from "node:http";
import type { Agent as HttpsAgent } from "node:https";
import type { Interceptor, Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { type ClientTls, http2SessionOptions, httpsAgent } from "./client-tls.ts";

/** The wire protocol of requests. */
export type WireProtocol = "connect" | "connect-json" | "grpc" | "grpc-web";

export interface TransportOptions {
  baseUrl: string;
  protocol: WireProtocol;
  tls: ClientTls | undefined;
  interceptors: Interceptor[];
  /** Connections of somebody else, over HTTP/1.1; with TLS they have their own settings. */
  connections?: HttpAgent | HttpsAgent | undefined;
}

/** A transport. `close` closes the connections that it made. */
export interface OwnedTransport {
  readonly transport: Transport;
  close(): void;
}

/** Far above any message of the protocol; with the default of 4 GiB a faulty server could exhaust the memory. */
const messageMaxBytes = 16 * 1024 * 1024;

/**
 * Makes the transport of a protocol. Connect and gRPC-Web use HTTP/1.1 with keep-alive: it passes every proxy, and a dead connection is noticed at the next
 * request, whereas a dead HTTP/2 session fails all calls until it times out. gRPC requires HTTP/2; in cleartext by prior knowledge.
 */
export function createTransport(options: TransportOptions): OwnedTransport {
  const { baseUrl, protocol, tls, interceptors } = options;
  const common = { baseUrl, interceptors, readMaxBytes: messageMaxBytes, writeMaxBytes: messageMaxBytes };
  if (protocol === "grpc") {
    const sessionManager = new Http2SessionManager(baseUrl, undefined, http2SessionOptions(tls));
    return { transport: createGrpcTransport({ ...common, sessionManager }), close: () => sessionManager.abort() };
  }
  const agent = options.connections ?? (baseUrl.startsWith("https:") ? httpsAgent(tls) : new HttpAgent({ keepAlive: true }));
  const http1 = { ...common, httpVersion: "1.1", nodeOptions: { agent } } as const;
  const transport =
    protocol === "grpc-web" ? createGrpcWebTransport(http1) : createConnectTransport({ ...http1, useBinaryFormat: protocol === "connect" });
  return { transport, close: () => (options.connections === undefined ? agent.destroy() : undefined) };
}
