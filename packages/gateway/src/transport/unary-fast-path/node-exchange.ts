import type { IncomingMessage, ServerResponse } from "node:http";
import type { IncomingHttpHeaders as Http2Headers, Http2ServerRequest, Http2ServerResponse, ServerHttp2Stream } from "node:http2";
import type { Readable, Writable } from "node:stream";
import { generalPair, type NodeServerRequest, type NodeServerResponse } from "../http/node-http.ts";
import { discardBody } from "../http/request-body.ts";
import type { RequestHead } from "../http/request-head.ts";
import { sendWhole, type WholeAnswer } from "../http/send-answer.ts";
import { type EncodedAnswer, okTrailer } from "./encode-answer.ts";

/** Where the answer to a plain call goes. One of these is called, once. */
export interface AnswerWriter {
  /** Writes a successful answer. All of the request has been read. */
  send(answer: EncodedAnswer): void;
  /** Writes an error. What is left of the request's body is read and thrown away. */
  refuse(answer: WholeAnswer): void;
  /** Gives up an answer that can no longer be delivered in good order. */
  abandon(): void;
}

/** The same where the body comes as a stream of Node's. */
export interface NodeExchange extends AnswerWriter {
  readonly head: RequestHead;
  /** Where the body comes from. */
  readonly source: Pick<Readable, "on" | "off" | "pause" | "readableEnded">;
  /** What closes when the answer has gone, or can go no more. */
  readonly sink: Pick<Writable, "on" | "off">;
  /** The same as Node's general request and response, which everything but the unary fast path takes. To be called once. */
  general(): { request: NodeServerRequest; response: NodeServerResponse };
}

/** The transport of HTTP/1.1 by Node's own server. */
export function http1Transport(request: IncomingMessage, response: ServerResponse): NodeExchange {
  return {
    head: { method: request.method, path: request.url ?? "", headers: request.headers, isHttp2: false },
    source: request,
    sink: response,
    send({ header, body }) {
      // Without a length Node would send it in chunks.
      header["content-length"] ??= String(Buffer.byteLength(body));
      response.writeHead(200, header);
      response.end(typeof body === "string" ? body : Buffer.from(body));
    },
    refuse: (answer) => sendWhole(answer, request, response),
    abandon: () => void response.destroy(),
    general: () => ({ request, response }),
  };
}

const trailersFollow = Object.freeze({ waitForTrailers: true });

/**
 * The transport of HTTP/2, on the bare stream: Node's general request and response for HTTP/2 are streams around the stream, and take a
 * third of a plain call's time.
 */
export class Http2Transport implements NodeExchange {
  readonly head: RequestHead;
  readonly source: ServerHttp2Stream;
  readonly sink: ServerHttp2Stream;
  readonly #rawHeaders: readonly string[];

  constructor(stream: ServerHttp2Stream, headers: Http2Headers, rawHeaders: readonly string[]) {
    this.head = { method: headers[":method"], path: headers[":path"] ?? "", headers, isHttp2: true };
    this.source = stream;
    this.sink = stream;
    this.#rawHeaders = rawHeaders;
  }

  send({ header, body, trailer }: EncodedAnswer): void {
    // The envelope of gRPC is a copy already.
    this.#respond(200, header, trailer, typeof body === "string" || trailer !== undefined ? body : Buffer.from(body));
  }

  refuse({ status, header, body, trailer }: WholeAnswer): void {
    this.#respond(status, Object.fromEntries(header), trailer && Object.fromEntries(trailer), body);
    discardBody(this.source, () => this.source.close());
  }

  abandon(): void {
    this.source.close();
  }

  general(): { request: Http2ServerRequest; response: Http2ServerResponse } {
    return generalPair(this.source, this.head.headers, this.#rawHeaders);
  }

  #respond(
    status: number,
    header: Record<string, string>,
    trailer: Readonly<Record<string, string>> | undefined,
    body: Uint8Array | string,
  ): void {
    const stream = this.source;
    // Node copies an object of headers once more, and not a list.
    const list = [":status", String(status)];
    for (const name in header) list.push(name, header[name] as string);
    if (trailer === undefined) {
      stream.respond(list);
    } else {
      stream.respond(list, trailersFollow);
      stream.on("wantTrailers", trailer === okTrailer ? sendOkTrailer : () => stream.sendTrailers(trailer));
    }
    stream.end(body);
  }
}

function sendOkTrailer(this: ServerHttp2Stream): void {
  this.sendTrailers(okTrailer);
}
