import { createServer, type ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import type { Logger } from "../../observability/logger.ts";
import { generalPair } from "../http/node-http.ts";
import type { ServerLimits } from "../limits/server-limits.ts";
import type { RequestListener } from "./request-listener.ts";

/** What serving HTTP/2 needs. */
export interface Http2SessionsOptions {
  requestListener: RequestListener;
  limits: ServerLimits;
  logger: Logger;
}

/** The connections of HTTP/2, of a server that does not listen itself. */
export interface Http2Sessions {
  /** Begins with a connection that speaks HTTP/2. */
  take(socket: Socket): void;
  /** Tells the clients to go elsewhere, those too that still come, and lets what is in flight end. */
  close(): void;
  /** Cuts off what is left. */
  destroy(): void;
}

/** Makes what serves HTTP/2 on the connections it is given. */
export function createHttp2Sessions({ requestListener, limits, logger }: Http2SessionsOptions): Http2Sessions {
  const sessions = new Set<ServerHttp2Session>();
  let isClosing = false;

  const server = createServer({
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

  server.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
    session.on("error", (error) => logger.debug({ err: error }, "HTTP/2 connection failed"));
    let streams = 0;
    const leave = (): void => {
      streams -= 1;
    };
    session.on("stream", (stream, headers, _flags, rawHeaders: string[]) => {
      streams += 1;
      stream.on("close", leave);
      // A stream that fails is no event: its call is told by its end.
      stream.on("error", ignore);
      if (requestListener.takeStream(stream, headers, rawHeaders)) return;
      const { request, response } = generalPair(stream, headers, rawHeaders);
      // A tunnel is not to be had here.
      if (headers[":method"] === "CONNECT") response.writeHead(405).end();
      else requestListener(request, response);
    });
    session.setTimeout(limits.sessionIdleTimeoutMs, () => {
      if (streams === 0) session.close();
    });
    if (isClosing) session.close();
  });
  server.on("sessionError", (error) => logger.debug({ err: error }, "HTTP/2 connection failed"));

  return {
    take(socket) {
      // Node's HTTP/1.1 server, which holds the port, lets a client end its side and go on listening. An HTTP/2 session does not end with
      // its client's side, so the connection of every client that is gone would stay for the whole idle time.
      socket.allowHalfOpen = false;
      server.emit("connection", socket);
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
