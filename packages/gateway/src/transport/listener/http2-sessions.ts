import { createServer, type ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import type { Logger } from "../../observability/logger.ts";
import { requestAndResponseOf } from "../http/node-http.ts";
import { isHealthPath } from "../limits/health-path.ts";
import { peerOf, setPeer } from "../limits/peer.ts";
import type { ServerLimits } from "../limits/server-limits.ts";
import type { RequestListener } from "./request-listener.ts";

/** Options of {@link createHttp2Sessions}. */
export interface Http2SessionsOptions {
  requestListener: RequestListener;
  limits: ServerLimits;
  logger: Logger;
}

/** The HTTP/2 connections of a server that does not listen itself. */
export interface Http2Sessions {
  /** Serves a connection that speaks HTTP/2. */
  take(socket: Socket): void;
  /** Sends GOAWAY to all clients, also to those that connect later, and lets open streams end. */
  close(): void;
  /** Closes all connections at once. */
  destroy(): void;
}

/** Creates the server of HTTP/2 for connections that are passed to it. */
export function createHttp2Sessions({ requestListener, limits, logger }: Http2SessionsOptions): Http2Sessions {
  const sessions = new Set<ServerHttp2Session>();
  let isClosing = false;
  /** The connection whose session is being created. */
  let taken: Socket | undefined;

  const server = createServer({
    settings: { maxConcurrentStreams: limits.maxStreamsPerConnection, maxHeaderListSize: limits.maxHeaderBytes, enablePush: false },
    maxSessionMemory: limits.sessionMemoryMb,
    maxHeaderListPairs: 128,
    maxOutstandingPings: 10,
    // A correct client sends no invalid frames and opens no more streams than the settings allow.
    maxSessionInvalidFrames: 100,
    maxSessionRejectedStreams: 100,
    // Against rapid reset: a client may cancel all its calls, e.g. because their deadlines passed, and all that it makes instead; then ten a second.
    streamResetBurst: 2 * limits.maxStreamsPerConnection,
    streamResetRate: 10,
  });

  server.on("session", (session) => {
    sessions.add(session);
    const peer = peerOf(taken);
    setPeer(session, peer);
    let streams = 0;
    const idle = setTimeout(() => {
      if (streams === 0) session.close();
    }, limits.sessionIdleTimeoutMs).unref();
    // Not `session.setTimeout`: Node 24 does not clear its timer when a session is destroyed, and the timer keeps the session in memory.
    const stir = (): void => {
      if (!session.destroyed) idle.refresh();
    };
    session.on("ping", stir);
    session.once("close", () => {
      sessions.delete(session);
      clearTimeout(idle);
    });
    session.on("error", (error) => logger.debug({ err: error }, "HTTP/2 connection failed"));
    const leave = (): void => {
      streams -= 1;
      stir();
      peer.end();
    };
    session.on("stream", (stream, headers, _flags, rawHeaders: string[]) => {
      if (peer.isForHealth && !isHealthPath(headers[":path"] ?? "")) {
        session.destroy();
        return;
      }
      streams += 1;
      peer.begin();
      stream.on("close", leave);
      // Nothing to do: the call learns of it when the stream closes.
      stream.on("error", ignore);
      if (requestListener.takeStream(stream, headers, rawHeaders)) return;
      const { request, response } = requestAndResponseOf(stream, headers, rawHeaders);
      requestListener(request, response);
    });
    if (isClosing) session.close();
  });
  server.on("sessionError", (error) => logger.debug({ err: error }, "HTTP/2 connection failed"));

  return {
    take(socket) {
      // Node's HTTP/1.1 server, which owns the port, allows half-open connections. An HTTP/2 session does not end when its client ends its
      // side, so the connection of every client that has gone would stay open for the whole idle time.
      socket.allowHalfOpen = false;
      taken = socket;
      server.emit("connection", socket);
      taken = undefined;
    },
    close() {
      isClosing = true;
      for (const session of sessions) session.close();
    },
    destroy() {
      for (const session of sessions) session.destroy();
    },
  };
}

function ignore(): void {}
