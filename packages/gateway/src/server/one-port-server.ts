import { createServer as createHttpServer, type Server as HttpServer, type ServerResponse } from "node:http";
import { createServer as createHttp2Server, type ServerHttp2Session } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Logger } from "../observability/logger.ts";
import type { Metrics } from "../observability/metrics.ts";
import { answerClientError } from "./client-error.ts";
import { createLane, type Lane } from "./lane/lane.ts";
import type { LaneCalls } from "./lane/lane-calls.ts";
import { generalPair } from "./lean-transport.ts";
import type { NodeServerRequest, NodeServerResponse, RequestListener } from "./node-http.ts";
import { defaultServerLimits, type ServerLimits } from "./server-limits.ts";
import { listenError, ServerStartError } from "./server-start-error.ts";
import { type HttpVersion, httpVersionOf, sniff } from "./sniff.ts";

/** What the server needs. */
export interface OnePortServerOptions {
  /** Answers every request of either version of HTTP. */
  requestListener: RequestListener;
  /** Certificate chain and private key in PEM. With them the port speaks TLS and nothing else. */
  tls?: { cert: string | Buffer; key: string | Buffer };
  /** See {@link ServerLimits}; what is left out has its default. */
  limits?: Partial<ServerLimits>;
  logger: Logger;
  metrics?: Pick<Metrics, "connections">;
}

/** Where a server listens. */
export interface ServerAddress {
  host: string;
  port: number;
}

/** A server that speaks HTTP/1.1 and HTTP/2 on one port. */
export interface OnePortServer {
  /**
   * Begins to listen. Port 0 takes a free one; the address that holds is returned.
   *
   * @throws {ServerStartError} The port is in use, or the host is none of this machine's.
   */
  listen(address: ServerAddress): Promise<ServerAddress>;
  /**
   * Takes no more connections, closes the idle ones, tells HTTP/2 clients to go elsewhere, waits up to `graceMs` for what is in flight,
   * streams included, and closes what is left.
   */
  close(graceMs: number): Promise<void>;
}

/**
 * Makes the server. In cleartext the first bytes tell the version of HTTP, since Node's HTTP/2 server knows no other; over TLS the
 * handshake does (ALPN).
 *
 * An HTTP/1.1 server holds the port, so that Node keeps its time limits, and gives the HTTP/2 connections away to a server that never
 * listens.
 *
 * @throws {ServerStartError} The certificate or key cannot be read.
 */
export function createOnePortServer(options: OnePortServerOptions): OnePortServer {
  const { requestListener, logger, metrics } = options;
  const limits = { ...defaultServerLimits, ...options.limits };
  const isTls = options.tls !== undefined;
  const sockets = new Set<Socket>();
  /** Connections that have shown no request yet. */
  const fresh = new Set<Socket>();
  const sessions = new Set<ServerHttp2Session>();
  const answering = new Set<ServerResponse>();
  /** When the head of a request came that the lane has begun to read and Node's server reads again. */
  const begunOnLane = new WeakMap<object, number>();
  let closing: Promise<void> | undefined;

  const front = createFront(options.tls, limits);
  front.maxConnections = limits.maxConnections;
  front.keepAliveTimeout = limits.keepAliveTimeoutMs;
  front.timeout = 0;
  front.on("drop", () => logger.warn({ max_connections: limits.maxConnections }, "connection refused: too many"));
  front.on("clientError", answerClientError);

  const back = createHttp2Server({
    settings: { maxConcurrentStreams: limits.maxStreamsPerConnection, maxHeaderListSize: limits.maxHeaderBytes, enablePush: false },
    maxSessionMemory: limits.sessionMemoryMb,
    maxHeaderListPairs: 128,
    maxOutstandingPings: 10,
    // A client in order sends no invalid frames and opens no streams beyond the setting it was told.
    maxSessionInvalidFrames: 100,
    maxSessionRejectedStreams: 100,
    // Rapid reset: a client may cancel a burst of calls, and after it ten a second.
    streamResetBurst: 1000,
    streamResetRate: 10,
  });

  function onRequest(request: NodeServerRequest, response: NodeServerResponse): void {
    if (!("stream" in response)) trackHttp1(response);
    requestListener(request, response, startedMsOf(request));
  }

  function startedMsOf({ socket }: NodeServerRequest): number | undefined {
    const startedMs = begunOnLane.get(socket);
    if (startedMs !== undefined) begunOnLane.delete(socket);
    return startedMs;
  }

  /** While the server closes, a connection that has given its last answer must not wait for its keep-alive time. */
  function trackHttp1(response: ServerResponse): void {
    if (response.socket !== null) fresh.delete(response.socket);
    answering.add(response);
    if (closing !== undefined) response.setHeader("connection", "close");
    response.once("close", () => {
      answering.delete(response);
      if (closing !== undefined) front.closeIdleConnections();
    });
  }

  front.on("request", onRequest);
  // The listener asks for the body when it wants one: a call that is refused by its headers is not sent.
  front.on("checkContinue", onRequest);

  back.on("stream", (stream, headers, _flags, rawHeaders: string[]) => {
    // A stream that fails is no event: its call is told by its end.
    stream.on("error", ignore);
    if (requestListener.takeStream(stream, headers, rawHeaders)) return;
    const { request, response } = generalPair(stream, headers, rawHeaders);
    // A tunnel is not to be had here.
    if (headers[":method"] === "CONNECT") response.writeHead(405).end();
    else onRequest(request, response);
  });

  back.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
    session.on("error", (error) => logger.debug({ err: error }, "HTTP/2 connection failed"));
    let streams = 0;
    const leave = (): void => {
      streams -= 1;
    };
    session.on("stream", (stream) => {
      streams += 1;
      stream.on("close", leave);
    });
    session.setTimeout(limits.sessionIdleTimeoutMs, () => {
      if (streams === 0) session.close();
    });
    if (closing !== undefined) session.close();
  });
  back.on("sessionError", (error) => logger.debug({ err: error }, "HTTP/2 connection failed"));

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
      // Node's HTTP/1.1 server, which holds the port, lets a client end its side and go on listening. An HTTP/2 session does not end with
      // its client's side, so the connection of every client that is gone would stay for the whole idle time.
      socket.allowHalfOpen = false;
      back.emit("connection", socket);
      return;
    }
    for (const serve of serveHttp1) serve.call(front, socket);
    socket.resume();
  }

  function sniffed(socket: Socket): void {
    markFresh(socket);
    sniff(socket, limits.sniffTimeoutMs, (version) => claim(socket, version));
  }

  function laneOf(calls: LaneCalls): Lane {
    return createLane({
      calls,
      limits,
      isClosing: () => closing !== undefined,
      // Over TLS the protocol is known before a request is, and Node's server answers whoever is late with one.
      silenceMaxMs: isTls ? limits.headersTimeoutMs : limits.sniffTimeoutMs,
      onSilent: (socket) => (isTls ? answerClientError(httpError("ERR_HTTP_REQUEST_TIMEOUT"), socket) : socket.destroy()),
      onCutOff(socket, unread) {
        if (!isTls && httpVersionOf(unread) === undefined) socket.destroy();
        else answerClientError(httpError("HPE_INVALID_EOF_STATE"), socket);
      },
      handOver({ socket, unread, isFresh, startedMs }) {
        if (startedMs !== undefined) begunOnLane.set(socket, startedMs);
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

  const lane = requestListener.lane && laneOf(requestListener.lane);

  front.on("connection", (socket: Socket) => {
    sockets.add(socket);
    metrics?.connections.inc();
    socket.on("error", (error) => logger.debug({ err: error }, "connection failed"));
    socket.once("close", () => {
      sockets.delete(socket);
      metrics?.connections.dec();
    });
    if (isTls) return;
    if (lane === undefined) sniffed(socket);
    else lane.take(socket);
  });

  if (isTls) {
    // Node's own listener would take a failed handshake for a bad request and answer it.
    front.removeAllListeners("tlsClientError");
    front.on("secureConnection", (socket: TLSSocket) => {
      socket.on("error", (error) => logger.debug({ err: error }, "connection failed"));
      if (socket.alpnProtocol !== "h2" && lane !== undefined) return lane.take(socket);
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
    lane?.close();
    for (const socket of fresh) socket.destroy();
    for (const session of sessions) session.close();
    for (const response of answering) if (!response.headersSent) response.setHeader("connection", "close");
    const timer = setTimeout(() => {
      logger.warn({ connections: sockets.size, grace_ms: graceMs }, "grace over: closing what is left");
      for (const session of sessions) session.destroy();
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
        front.listen({ host, port }, () => {
          front.off("error", onError);
          front.on("error", (error) => logger.error({ err: error }, "server failed"));
          const bound = front.address() as AddressInfo;
          resolve({ host: bound.address, port: bound.port });
        });
      });
    },
    close(graceMs) {
      closing ??= stop(graceMs);
      return closing;
    },
  };
}

function ignore(): void {}

/** An error as Node's server raises it. */
function httpError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(code), { code });
}

function createFront(tls: OnePortServerOptions["tls"], limits: ServerLimits): HttpServer {
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
