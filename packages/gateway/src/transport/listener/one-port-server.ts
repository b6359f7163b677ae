import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Logger } from "../../observability/logger.ts";
import type { Metrics } from "../../observability/metrics.ts";
import { createHttp1FastReader, type Http1FastReader } from "../http1-fast-reader/http1-fast-reader.ts";
import { isHealthPath } from "../limits/health-path.ts";
import { type Peer, peerOf, setPeer } from "../limits/peer.ts";
import { defaultServerLimits, type ServerLimits } from "../limits/server-limits.ts";
import type { BufferedCalls } from "../unary-fast-path/unary-fast-path.ts";
import { answerClientError } from "./client-error.ts";
import { createConnectionGuard } from "./connection-guard.ts";
import { createFrontServer, replaceTlsIdentity, type TlsIdentity } from "./front-server.ts";
import { createHttp2Sessions } from "./http2-sessions.ts";
import type { RequestListener } from "./request-listener.ts";
import { listenError } from "./server-start-error.ts";
import { type HttpVersion, httpVersionOf, sniff } from "./sniff.ts";

/**
 * Most connections that the system keeps until the server accepts them, as far as the system allows as many. Node's default of 511 is full for seconds when
 * somebody opens again at once what was closed for being too many, and the system then drops everybody's first packets.
 */
const acceptQueueMax = 4096;

/**
 * Most requests of one HTTP/1.1 connection that Node's server has in progress: as many as the gateway handles of one caller. Hardly any client sends one before
 * the last one is answered, and Node's server begins at once whatever has arrived: thousands of requests in 64 KiB.
 */
const pipelinedMax = 32;

/** Options of {@link createOnePortServer}. */
export interface OnePortServerOptions {
  /** Answers the requests of both versions of HTTP. */
  requestListener: RequestListener;
  /** If given, the port speaks only TLS. */
  tls?: TlsIdentity;
  /** Omitted limits have their defaults. */
  limits?: Partial<ServerLimits>;
  logger: Logger;
  metrics?: Pick<Metrics, "connections" | "connectionsClosed">;
}

/** The address on which a server listens. */
export interface ServerAddress {
  host: string;
  port: number;
}

/** A server that speaks HTTP/1.1 and HTTP/2 on one port. */
export interface OnePortServer {
  /**
   * Starts to listen, and returns the actual address. Port 0 takes any free port.
   *
   * @throws {ServerStartError} if the port is in use, or the host is not an address of this machine
   */
  listen(address: ServerAddress): Promise<ServerAddress>;
  /**
   * Uses another certificate for all handshakes from now on. Only for a server with TLS.
   *
   * @throws {ServerStartError} if it cannot be used; the server continues with the one before
   */
  replaceTls(identity: TlsIdentity): void;
  /**
   * Accepts no more connections, closes idle ones, sends GOAWAY to HTTP/2 clients, waits up to `graceMs` for calls and streams in progress, and
   * then closes the remaining connections.
   */
  close(graceMs: number): Promise<void>;
}

/**
 * Creates the server. In cleartext the first bytes reveal the version of HTTP, because Node's HTTP/2 server cannot serve HTTP/1.1 there; over TLS it is
 * negotiated in the handshake (ALPN).
 *
 * Node's HTTP/1.1 server owns the port, so that its time limits apply. It passes HTTP/2 connections to a server that does not listen itself.
 *
 * @throws {ServerStartError} if the certificate or key cannot be used
 */
export function createOnePortServer(options: OnePortServerOptions): OnePortServer {
  const { requestListener, logger, metrics } = options;
  const limits = { ...defaultServerLimits, ...options.limits };
  const isTls = options.tls !== undefined;
  const sockets = new Set<Socket>();
  const guard = createConnectionGuard({ limits, metrics });
  /** The peers of connections whose TLS handshake is not complete, by address and port: it ends with another socket. */
  const handshaking = new Map<string, Peer>();
  /** Connections that have sent no request yet. */
  const fresh = new Set<Socket>();
  const answering = new Set<ServerResponse>();
  /** When the head arrived of a request that the fast reader began to read and Node's server reads again. */
  const fastReaderStartedMs = new WeakMap<object, number>();
  let closing: Promise<void> | undefined;

  const front = createFrontServer(options.tls, limits);
  front.on("clientError", answerClientError);

  const http2 = createHttp2Sessions({ requestListener, limits, logger });

  function onRequest(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    // What had arrived together with the request that was too much.
    if (socket.destroyed) return;
    const peer = peerOf(socket);
    if (peer.isForHealth && !isHealthPath(request.url ?? "")) {
      socket.destroy();
      return;
    }
    if (peer.requests >= pipelinedMax) {
      metrics?.connectionsClosed.inc({ reason: "pipelined" });
      socket.destroy();
      return;
    }
    track(response, peer);
    requestListener(request, response, startedMsOf(request));
  }

  function startedMsOf({ socket }: IncomingMessage): number | undefined {
    const startedMs = fastReaderStartedMs.get(socket);
    if (startedMs !== undefined) fastReaderStartedMs.delete(socket);
    return startedMs;
  }

  /** While the server is closing, a connection must not wait for its keep-alive time after its last answer. */
  function track(response: ServerResponse, peer: Peer): void {
    peer.begin();
    if (response.socket !== null) fresh.delete(response.socket);
    answering.add(response);
    if (closing !== undefined) response.setHeader("connection", "close");
    response.once("close", () => {
      answering.delete(response);
      peer.end();
      if (closing !== undefined) front.closeIdleConnections();
    });
  }

  front.on("request", onRequest);
  // The request listener sends `100 Continue` when it reads the body, so a call that is refused by its headers is not sent.
  front.on("checkContinue", onRequest);

  const readyEvent = isTls ? "secureConnection" : "connection";
  const serveHttp1 = front.listeners(readyEvent);
  front.removeAllListeners(readyEvent);

  function markFresh(socket: Socket): void {
    fresh.add(socket);
    socket.once("close", () => fresh.delete(socket));
  }

  function claim(socket: Socket, version: HttpVersion): void {
    if (version === "http2") {
      fresh.delete(socket);
      http2.take(socket);
      return;
    }
    for (const serve of serveHttp1) serve.call(front, socket);
    socket.resume();
  }

  function sniffed(socket: Socket): void {
    markFresh(socket);
    sniff(socket, limits.sniffTimeoutMs, (version) => claim(socket, version));
  }

  function fastReaderOf(calls: BufferedCalls): Http1FastReader {
    return createHttp1FastReader({
      calls,
      limits,
      isClosing: () => closing !== undefined,
      // Over TLS the version is known before the first request, and a late request is answered as Node's server would.
      silenceMaxMs: isTls ? limits.headersTimeoutMs : limits.sniffTimeoutMs,
      onSilent: (socket) => (isTls ? answerClientError(httpError("ERR_HTTP_REQUEST_TIMEOUT"), socket) : socket.destroy()),
      onCutOff(socket, unread) {
        if (!isTls && httpVersionOf(unread) === undefined) socket.destroy();
        else answerClientError(httpError("HPE_INVALID_EOF_STATE"), socket);
      },
      handOver({ socket, unread, isFresh, startedMs }) {
        if (startedMs !== undefined) fastReaderStartedMs.set(socket, startedMs);
        socket.pause();
        socket.unshift(unread);
        if (!isFresh) claim(socket, "http1");
        else if (isTls) {
          markFresh(socket);
          claim(socket, "http1");
        } else {
          sniffed(socket);
          socket.resume();
        }
      },
    });
  }

  const fastReader = requestListener.bufferedCalls && fastReaderOf(requestListener.bufferedCalls);

  front.on("connection", (socket: Socket) => {
    sockets.add(socket);
    const peer = guard.take(socket);
    setPeer(socket, peer);
    const endpoint = endpointOf(socket);
    if (isTls) handshaking.set(endpoint, peer);
    metrics?.connections.inc();
    socket.on("error", (error) => logger.debug({ err: error }, "connection failed"));
    socket.once("close", () => {
      sockets.delete(socket);
      handshaking.delete(endpoint);
      metrics?.connections.dec();
    });
    if (isTls) return;
    if (fastReader === undefined) sniffed(socket);
    else fastReader.take(socket);
  });

  if (isTls) {
    // Node's own listener would answer a failed handshake as if it were a bad request.
    front.removeAllListeners("tlsClientError");
    front.on("secureConnection", (socket: TLSSocket) => {
      socket.on("error", (error) => logger.debug({ err: error }, "connection failed"));
      const peer = handshaking.get(endpointOf(socket));
      if (peer !== undefined) setPeer(socket, peer);
      if (socket.alpnProtocol !== "h2" && fastReader !== undefined) return fastReader.take(socket);
      markFresh(socket);
      claim(socket, socket.alpnProtocol === "h2" ? "http2" : "http1");
    });
    front.on("tlsClientError", (error: Error, socket: TLSSocket) => {
      logger.debug({ err: error }, "TLS handshake failed");
      socket.destroy();
    });
  }

  async function stop(graceMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      front.close(() => resolve());
    });
    fastReader?.close();
    for (const socket of fresh) socket.destroy();
    http2.close();
    for (const response of answering) if (!response.headersSent) response.setHeader("connection", "close");
    const timer = setTimeout(() => {
      logger.warn({ connections: sockets.size, grace_ms: graceMs }, "grace over: closing what is left");
      http2.destroy();
      for (const socket of sockets) socket.destroy();
    }, graceMs);
    await closed;
    clearTimeout(timer);
  }

  return {
    listen({ host, port }) {
      return new Promise((resolve, reject) => {
        const onError = (error: NodeJS.ErrnoException): void => reject(listenError(error, host, port));
        front.once("error", onError);
        front.listen({ host, port, backlog: acceptQueueMax }, () => {
          front.off("error", onError);
          front.on("error", (error) => logger.error({ err: error }, "server failed"));
          const bound = front.address() as AddressInfo;
          resolve({ host: bound.address, port: bound.port });
        });
      });
    },
    replaceTls: (identity) => replaceTlsIdentity(front, identity),
    close(graceMs) {
      closing ??= stop(graceMs);
      return closing;
    },
  };
}

function endpointOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

/** Returns an error as Node's server raises it. */
function httpError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(code), { code });
}
