import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse, IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { LaneCalls } from "./lane/lane-calls.ts";

/** A request of either version of HTTP. */
export type NodeServerRequest = IncomingMessage | Http2ServerRequest;

/** A response of either version of HTTP. */
export type NodeServerResponse = ServerResponse | Http2ServerResponse;

/** What answers the requests of both. */
export interface RequestListener {
  /** Answers a request. `startedMs` is what `performance.now()` said when its head came, where that is some time ago. */
  (request: NodeServerRequest, response: NodeServerResponse, startedMs?: number): void;
  /** Answers a stream of HTTP/2 as it is, where it can. Says whether it does. */
  takeStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: readonly string[]): boolean;
  /** Makes the plain calls of HTTP/1.1 that are read without Node's server. Undefined: none are. */
  readonly lane?: LaneCalls | undefined;
}
