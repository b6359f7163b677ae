import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse, IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";

/** A request of either version of HTTP. */
export type NodeServerRequest = IncomingMessage | Http2ServerRequest;

/** A response of either version of HTTP. */
export type NodeServerResponse = ServerResponse | Http2ServerResponse;

/** What answers the requests of both. */
export interface RequestListener {
  /** Answers a request. */
  (request: NodeServerRequest, response: NodeServerResponse): void;
  /** Answers a stream of HTTP/2 as it is, where it can. Says whether it does. */
  takeStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: readonly string[]): boolean;
}
