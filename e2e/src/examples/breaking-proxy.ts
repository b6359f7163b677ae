import { once } from "node:events";
import { type ClientHttp2Session, connect, constants, createServer, type IncomingHttpHeaders } from "node:http2";
import type { AddressInfo, Socket } from "node:net";

/** A proxy that drops one response. */
export interface BreakingProxy {
  url: string;
  /** How many responses it has dropped: 0 or 1. */
  lost(): number;
  stop(): Promise<void>;
}

/**
 * Starts an HTTP/2 proxy in front of a gateway. When the gateway has answered the first request for a path, the proxy breaks its callers'
 * connections instead of forwarding the response: the worst moment, because the work is done and the caller does not know.
 */
export async function startBreakingProxy(gatewayUrl: string, path: string): Promise<BreakingProxy> {
  let lost = 0;
  const sockets = new Set<Socket>();
  let upstream: ClientHttp2Session | undefined;
  // Made when it is needed: a gateway closes a connection on which no call comes for some seconds.
  const gateway = (): ClientHttp2Session => {
    if (upstream === undefined || upstream.closed) upstream = connect(gatewayUrl).on("error", () => undefined);
    return upstream;
  };
  const server = createServer();
  server.on("connection", (socket) => sockets.add(socket));
  // A session that is destroyed may still reset its streams with NO_ERROR, which is no broken connection.
  const breakConnections = (): void => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  server.on("stream", (stream, headers) => {
    const request = gateway().request({ ...headers, [constants.HTTP2_HEADER_AUTHORITY]: new URL(gatewayUrl).host });
    // The end of this stream informs the other side.
    stream.on("error", () => request.close());
    request.on("error", () => stream.close());
    stream.on("close", () => request.close());
    stream.pipe(request);
    if (headers[constants.HTTP2_HEADER_PATH] === path && lost === 0) {
      lost += 1;
      request.resume().on("end", breakConnections);
      return;
    }
    let trailers: IncomingHttpHeaders = {};
    request.on("trailers", (received) => {
      trailers = received;
    });
    request.on("response", (received, flags) => {
      const endStream = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
      stream.respond(received, { endStream, waitForTrailers: !endStream });
      if (endStream) return;
      stream.on("wantTrailers", () => stream.sendTrailers(trailers));
      request.pipe(stream);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lost: () => lost,
    async stop() {
      upstream?.destroy();
      breakConnections();
      server.close();
      await once(server, "close");
    },
  };
}
