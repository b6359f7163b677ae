import type { IncomingMessage, ServerResponse } from "node:http";
import {
  type IncomingHttpHeaders as Http2Headers,
  Http2ServerRequest,
  Http2ServerResponse,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import type { Readable, Writable } from "node:stream";
import type { LeanAnswer } from "./lean-answer.ts";
import type { NodeServerRequest, NodeServerResponse } from "./node-http.ts";
import { discardBody } from "./request-body.ts";
import type { RequestHead } from "./request-head.ts";
import { sendWhole, type WholeAnswer } from "./send-answer.ts";

/** Where the answer to a plain call goes. One of these is called, once. */
export interface LeanTransport {
  /** Writes a successful answer. All of the request has been read. */
  send(answer: LeanAnswer): void;
  /** Writes an error. What is left of the request's body is read and thrown away. */
  refuse(answer: WholeAnswer): void;
  /** Gives up an answer that can no longer be delivered in good order. */
  abandon(): void;
}

/** The same where the body comes as a stream of Node's. */
export interface StreamTransport extends LeanTransport {
  readonly head: RequestHead;
  /** Where the body comes from. */
  readonly source: Pick<Readable, "on" | "off" | "pause" | "readableEnded">;
  /** What closes when the answer has gone, or can go no more. */
  readonly sink: Pick<Writable, "on" | "off">;
  /** The same as Node's general request and response, which everything but the lean path takes. To be called once. */
  general(): { request: NodeServerRequest; response: NodeServerResponse };
}

/** The transport of HTTP/1.1 by Node's own server. */
export function http1Transport(request: IncomingMessage, response: ServerResponse): StreamTransport {
  return {
    head: { method: request.method, path: request.url ?? "", headers: request.headers, isHttp2: false },
    source: request,
    sink: response,
    send({ header, body }) {
      // Without a length Node would send it in chunks.
      header["content-length"] ??= String(Buffer.byteLength(body));
      response.writeHead(200, header);
      response.end(body);
    },
    refuse: (answer) => sendWhole(answer, request, response),
    abandon: () => void response.destroy(),
    general: () => ({ request, response }),
  };
}

/**
 * The transport of HTTP/2, on the bare stream: Node's general request and response for HTTP/2 are streams around the stream, and take a
 * third of a plain call's time.
 */
export function http2Transport(stream: ServerHttp2Stream, headers: Http2Headers, rawHeaders: readonly string[]): StreamTransport {
  function respond(status: number, header: OutgoingHttpHeaders, trailer: OutgoingHttpHeaders | undefined, body: Uint8Array | string): void {
    stream.respond({ ":status": status, ...header }, { waitForTrailers: trailer !== undefined });
    if (trailer !== undefined) stream.on("wantTrailers", () => stream.sendTrailers(trailer));
    stream.end(body);
  }

  return {
    head: { method: headers[":method"], path: headers[":path"] ?? "", headers, isHttp2: true },
    source: stream,
    sink: stream,
    send: ({ header, body, trailer }) => respond(200, header, trailer, body),
    refuse({ status, header, body, trailer }) {
      respond(status, Object.fromEntries(header), trailer && Object.fromEntries(trailer), body);
      discardBody(stream, () => stream.close());
    },
    abandon: () => stream.close(),
    general: () => generalPair(stream, headers, rawHeaders),
  };
}

/** Node's general request and response of a stream of HTTP/2, as its own server makes them. */
export function generalPair(
  stream: ServerHttp2Stream,
  headers: Http2Headers,
  rawHeaders: readonly string[],
): { request: Http2ServerRequest; response: Http2ServerResponse } {
  return { request: new Http2ServerRequest(stream, headers, {}, rawHeaders), response: new Http2ServerResponse(stream) };
}
