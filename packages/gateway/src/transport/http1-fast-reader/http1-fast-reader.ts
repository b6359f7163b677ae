import type { Socket } from "node:net";
import type { ServerLimits } from "../limits/server-limits.ts";
import { FastConnection, type FastConnectionDependencies } from "./fast-connection.ts";
import { keepAliveLines } from "./response-head.ts";

/** Options of {@link createHttp1FastReader}. */
export interface Http1FastReaderOptions extends Pick<FastConnectionDependencies, "calls" | "isClosing" | "handOver" | "onCutOff"> {
  limits: ServerLimits;
  /** How long a new connection may send nothing, in ms. */
  silenceMaxMs: number;
  /** Closes a connection that has sent nothing for that time. */
  onSilent(socket: Socket): void;
}

/** Reads plain calls from HTTP/1.1 connections. */
export interface Http1FastReader {
  /** Starts reading a new connection. */
  take(socket: Socket): void;
  /** Closes idle connections, and busy ones after their next answer. */
  close(): void;
}

/** How much longer than announced an idle connection is kept, in ms, for requests that are on their way. Node's server does the same. */
const keepAliveBufferMs = 1000;

/**
 * Creates the reader that handles plain unary calls over HTTP/1.1 directly on their socket. Node's server, which needs half of such a call's
 * time, handles everything else: every HTTP/1.1 connection starts with the fast reader, and moves to Node's server, with all unread bytes, at the first
 * request that is not written in the one way the reader supports (see `plain-head.ts`).
 *
 * Node's limits apply here too: on the number of connections, because they belong to the same server; on the time without a request and
 * between requests, by one timer for all connections; on the time of one request, because a request that does not arrive at once is left to
 * Node's server.
 *
 * Nothing else of this folder is used outside it.
 *
 * Rent (`npm run bench -- rent`, commit 1254f10): 7 to 24 % of the processor time of a search from all over the city, 7 to 10 % of a life.
 */
export function createHttp1FastReader({ limits, silenceMaxMs, onSilent, ...given }: Http1FastReaderOptions): Http1FastReader {
  const { keepAliveTimeoutMs } = limits;
  const connections = new Set<FastConnection>();
  const tickMs = Math.max(10, Math.min(1000, silenceMaxMs, keepAliveTimeoutMs));
  let clock: NodeJS.Timeout | undefined;

  const dependencies: FastConnectionDependencies = {
    ...given,
    keepAliveLines: keepAliveLines(keepAliveTimeoutMs),
    onGone(connection) {
      connections.delete(connection);
      if (connections.size > 0) return;
      clearInterval(clock);
      clock = undefined;
    },
  };

  function tick(): void {
    for (const connection of connections) {
      connection.quietTicks += 1;
      // The first tick may come immediately.
      const quietMs = (connection.quietTicks - 1) * tickMs;
      if (connection.state === "fresh" && quietMs >= silenceMaxMs) onSilent(connection.socket);
      else if (connection.state === "idle" && keepAliveTimeoutMs > 0 && quietMs >= keepAliveTimeoutMs + keepAliveBufferMs)
        connection.socket.destroy();
    }
  }

  return {
    take(socket) {
      clock ??= setInterval(tick, tickMs).unref();
      connections.add(new FastConnection(socket, dependencies));
    },
    close() {
      for (const connection of connections) connection.close();
    },
  };
}
