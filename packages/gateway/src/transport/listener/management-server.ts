import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Logger } from "../../observability/logger.ts";
import type { Metrics } from "../../observability/metrics.ts";
import { requestIdFrom, requestIdHeader } from "../http/common-headers.ts";
import type { PlainRoute } from "../plain-http/operational-routes.ts";
import { createPlainHttp } from "../plain-http/plain-http.ts";
import type { ServerAddress } from "./one-port-server.ts";
import { listenError } from "./server-start-error.ts";

/** Options of {@link createManagementServer}. */
export interface ManagementServerOptions {
  /** Answers GET and HEAD, by path. */
  routes: ReadonlyMap<string, PlainRoute>;
  logger: Logger;
  metrics: Metrics;
}

/** A server for those who operate the gateway. */
export interface ManagementServer {
  /**
   * Starts to listen, and returns the actual address. Port 0 takes any free port.
   *
   * @throws {ServerStartError} if the port is in use, or the host is not an address of this machine
   */
  listen(address: ServerAddress): Promise<ServerAddress>;
  /** Closes all connections. */
  close(): Promise<void>;
}

/** Most connections: many more than there are supervisors and scrapers. */
const connectionsMax = 64;

/** Most requests of one connection in progress. Scrapers send one at a time, and Node begins at once whatever has arrived: thousands of scrapes in 64 KiB. */
const pipelinedMax = 8;

/**
 * Creates the server of the management listener. It has a port of its own, so that callers cannot read the metrics, and a full public port does not keep
 * supervisors out. It speaks HTTP/1.1 in cleartext, because it is for the same machine or an internal network.
 */
export function createManagementServer({ routes, logger, metrics }: ManagementServerOptions): ManagementServer {
  const answer = createPlainHttp({ routes, readMaxBytes: 0, logger, metrics });
  const inProgress = new WeakMap<Socket, number>();
  const server = createServer({ headersTimeout: 5000, requestTimeout: 5000, connectionsCheckingInterval: 1000 }, (request, response) => {
    const { socket } = request;
    const before = inProgress.get(socket) ?? 0;
    if (before >= pipelinedMax) socket.destroy();
    // What had arrived together with the request that was too much.
    if (socket.destroyed) return;
    inProgress.set(socket, before + 1);
    response.once("close", () => inProgress.set(socket, (inProgress.get(socket) ?? 1) - 1));
    // A connection that breaks within a request needs no handling.
    request.on("error", () => {});
    response.on("error", () => {});
    const requestId = requestIdFrom(request.headers[requestIdHeader]);
    response.setHeader(requestIdHeader, requestId);
    const [path = ""] = (request.url ?? "").split("?", 1);
    answer(path, request, response, requestId);
  });
  server.maxConnections = connectionsMax;
  return {
    listen({ host, port }) {
      return new Promise((resolve, reject) => {
        const onError = (error: NodeJS.ErrnoException): void => reject(listenError(error, host, port, "--management"));
        server.once("error", onError);
        server.listen({ host, port }, () => {
          server.off("error", onError);
          server.on("error", (error) => logger.error({ err: error }, "the management listener failed"));
          const bound = server.address() as AddressInfo;
          resolve({ host: bound.address, port: bound.port });
        });
      });
    },
    close() {
      return new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}
