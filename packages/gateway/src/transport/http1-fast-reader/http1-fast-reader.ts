import type { Socket } from "node:net";
import type { ServerLimits } from "../limits/server-limits.ts";
import { FastConnection, type FastConnectionDependencies } from "./fast-connection.ts";
import { keepAliveLines } from "./response-head.ts";

/** What the fast reader needs. */
export interface Http1FastReaderOptions extends Pick<FastConnectionDependencies, "calls" | "isClosing" | "handOver" | "onCutOff"> {
  limits: ServerLimits;
  /** How long a new connection may show nothing, in ms. */
  silenceMaxMs: number;
  /** Closes a connection that has shown nothing for so long. */
  onSilent(socket: Socket): void;
}

/** Reads plain calls off connections of HTTP/1.1. */
export interface Http1FastReader {
  /** Begins with a new connection. */
  take(socket: Socket): void;
  /** Closes what is idle. What is in hand is answered for the last time. */
  close(): void;
}

/** How much longer than it says Node's server keeps an idle connection, for requests that are under way, in ms. */
const keepAliveBufferMs = 1000;

/**
 * Makes the fast reader: the way of plain unary calls over HTTP/1.1, by which each is read off its socket and answered there. Node's server takes
 * half of such a call's time. It still has all else: a connection begins by the fast reader, and leaves it for Node's server, with every byte
 * that was not taken, at the first one that is not written the one way the fast reader knows. `plain-head.ts` says which that is.
 *
 * Node's limits hold here too: on connections, since they are one server's; on the time without a request and between requests, by one
 * clock for all connections; on the time of a request, which Node's server watches where a request does not come at once.
 *
 * Nothing else of this folder is used outside it.
 *
 * Rent: see docs/performance.md, `npm run bench -- rent`.
 */
export function createHttp1FastReader({ limits, silenceMaxMs, onSilent, ...given }: Http1FastReaderOptions): Http1FastReader {
  const { keepAliveTimeoutMs } = limits;
  const connections = new Set<FastConnection>();
  const tickMs = Math.max(10, Math.min(1000, silenceMaxMs, keepAliveTimeoutMs));
  let clock: NodeJS.Timeout | undefined;

  const surroundings: FastConnectionDependencies = {
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
      // The first tick may come at once.
      const quietMs = (connection.quietTicks - 1) * tickMs;
      if (connection.state === "fresh" && quietMs >= silenceMaxMs) onSilent(connection.socket);
      else if (connection.state === "idle" && keepAliveTimeoutMs > 0 && quietMs >= keepAliveTimeoutMs + keepAliveBufferMs)
        connection.socket.destroy();
    }
  }

  return {
    take(socket) {
      clock ??= setInterval(tick, tickMs).unref();
      connections.add(new FastConnection(socket, surroundings));
    },
    close() {
      for (const connection of connections) connection.close();
    },
  };
}
