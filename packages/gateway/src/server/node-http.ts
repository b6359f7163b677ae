import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";

/** A request of either version of HTTP. */
export type NodeServerRequest = IncomingMessage | Http2ServerRequest;

/** A response of either version of HTTP. */
export type NodeServerResponse = ServerResponse | Http2ServerResponse;

/** What answers the requests of both. */
export type RequestListener = (request: NodeServerRequest, response: NodeServerResponse) => void;
