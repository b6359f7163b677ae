import type { IncomingMessage, ServerResponse } from "node:http";
import { Http2ServerRequest, Http2ServerResponse, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";

/** A request of either version of HTTP. */
export type NodeServerRequest = IncomingMessage | Http2ServerRequest;

/** A response of either version of HTTP. */
export type NodeServerResponse = ServerResponse | Http2ServerResponse;

/** Node's general request and response of a stream of HTTP/2, as its own server makes them. */
export function generalPair(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  rawHeaders: readonly string[],
): { request: Http2ServerRequest; response: Http2ServerResponse } {
  return { request: new Http2ServerRequest(stream, headers, {}, rawHeaders), response: new Http2ServerResponse(stream) };
}
