import { once } from "node:events";
import { type ClientHttp2Session, connect, constants, createServer, type Http2Session, type IncomingHttpHeaders } from "node:http2";
import type { AddressInfo } from "node:net";

/** A proxy that loses one answer. */
export interface BreakingProxy {
  url: string;
  /** How many answers it has lost: 0 or 1. */
  lost(): number;
  stop(): Promise<void>;
}

/**
 * Starts an HTTP/2 proxy before a gateway. When the gateway has answered the first request for a path, the caller's connection breaks in
 * place of the answer: the worst moment, since the work is done and the caller does not know.
 */
export async function startBreakingProxy(gatewayUrl: string, path: string): Promise<BreakingProxy> {
  let lost = 0;
  const sessions = new Set<Http2Session>();
  const upstream: ClientHttp2Session = connect(gatewayUrl);
  const server = createServer();
  server.on("session", (session) => sessions.add(session));
  server.on("stream", (stream, headers) => {
    const request = upstream.request({ ...headers, [constants.HTTP2_HEADER_AUTHORITY]: new URL(gatewayUrl).host });
    // The other side is told by the end of this one.
    stream.on("error", () => request.close());
    request.on("error", () => stream.close());
    stream.on("close", () => request.close());
    stream.pipe(request);
    if (headers[constants.HTTP2_HEADER_PATH] === path && lost === 0) {
      lost += 1;
      request.resume().on("end", () => stream.session?.destroy());
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
      upstream.destroy();
      for (const session of sessions) session.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
