import type { IncomingMessage, ServerResponse } from "node:http";
import { Http2ServerRequest, Http2ServerResponse, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";

/** A request of either version of HTTP. */
export type NodeServerRequest = IncomingMessage | Http2ServerRequest;

/** A response of either version of HTTP. */
export type NodeServerResponse = ServerResponse | Http2ServerResponse;

/** The head of a request, of either version of HTTP. */
export interface RequestHead {
  readonly method: string | undefined;
  /** The request target, query included. */
  readonly path: string;
  /** By name in lower case. */
  readonly headers: IncomingHttpHeaders;
  readonly isHttp2: boolean;
}

/** Returns Node's request and response objects for an HTTP/2 stream, as Node's own HTTP/2 server creates them. */
export function requestAndResponseOf(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  rawHeaders: readonly string[],
): { request: Http2ServerRequest; response: Http2ServerResponse } {
  return { request: new Http2ServerRequest(stream, headers, {}, rawHeaders), response: new Http2ServerResponse(stream) };
}
