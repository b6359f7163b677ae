import type { IncomingMessage, ServerResponse } from "node:http";
import {
  constants,
  type IncomingHttpHeaders as Http2Headers,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Stream,
} from "node:http2";
import type { Readable, Writable } from "node:stream";
import { type NodeServerRequest, type NodeServerResponse, type RequestHead, requestAndResponseOf } from "../http/node-http.ts";
import { discardBody } from "../http/request-body.ts";
import { sendWhole, type WholeAnswer } from "../http/send-answer.ts";
import { type Peer, peerOf } from "../limits/peer.ts";
import { type EncodedAnswer, okTrailer } from "./encode-answer.ts";

/** Writes the answer to a plain call. One of its methods is called, once. */
export interface AnswerWriter {
  /** Writes a successful answer. The whole request has been read. */
  send(answer: EncodedAnswer): void;
  /** Writes an error, and discards the rest of the request's body. */
  refuse(answer: WholeAnswer): void;
  /** Aborts an answer that can no longer be delivered correctly. */
  abandon(): void;
  /** Closes the connection or stream without an answer, because too many refusals wait already. */
  giveUp(): void;
}

/** A request whose body comes as a stream of Node's, and its answer. */
export interface NodeExchange extends AnswerWriter {
  readonly head: RequestHead;
  readonly peer: Peer;
  /** The stream of the body. */
  readonly source: Pick<Readable, "on" | "off" | "pause" | "readableEnded" | "closed">;
  /** The stream that closes when the answer has been sent or can no longer be sent. */
  readonly sink: Pick<Writable, "on" | "off">;
  /** Returns Node's request and response objects, for the stock adapter. Call it once. */
  requestAndResponse(): { request: NodeServerRequest; response: NodeServerResponse };
}

/** Returns the exchange of a request to Node's HTTP/1.1 server. */
export function http1Exchange(request: IncomingMessage, response: ServerResponse): NodeExchange {
  return {
    head: { method: request.method, path: request.url ?? "", headers: request.headers, isHttp2: false },
    peer: peerOf(request.socket),
    source: request,
    sink: response,
    send({ header, body }) {
      // Without a length Node would send the body in chunks.
      header["content-length"] ??= String(Buffer.byteLength(body));
      response.writeHead(200, header);
      response.end(typeof body === "string" ? body : Buffer.from(body));
    },
    refuse: (answer) => sendWhole(answer, request, response),
    abandon: () => void response.destroy(),
    giveUp: () => void response.destroy(),
    requestAndResponse: () => ({ request, response }),
  };
}

const trailersFollow = Object.freeze({ waitForTrailers: true });

/**
 * The exchange of a bare HTTP/2 stream. Node's request and response objects for HTTP/2 wrap the stream in further streams, which takes a third
 * of a plain call's time.
 */
export class Http2Exchange implements NodeExchange {
  readonly head: RequestHead;
  readonly peer: Peer;
  readonly source: ServerHttp2Stream;
  readonly sink: ServerHttp2Stream;
  readonly #rawHeaders: readonly string[];

  constructor(stream: ServerHttp2Stream, headers: Http2Headers, rawHeaders: readonly string[]) {
    this.head = { method: headers[":method"], path: headers[":path"] ?? "", headers, isHttp2: true };
    this.peer = peerOf(stream.session);
    this.source = stream;
    this.sink = stream;
    this.#rawHeaders = rawHeaders;
  }

  send({ header, body, trailer }: EncodedAnswer): void {
    // The envelope of gRPC is a copy already; other bytes are valid only until the next answer is encoded.
    this.#respond(200, header, trailer, typeof body === "string" || trailer !== undefined ? body : Buffer.from(body));
  }

  refuse({ status, header, body, trailer }: WholeAnswer): void {
    this.#respond(status, Object.fromEntries(header), trailer && Object.fromEntries(trailer), body);
    discardBody(this.source, () => this.source.close());
  }

  abandon(): void {
    this.source.close(constants.NGHTTP2_INTERNAL_ERROR);
  }

  giveUp(): void {
    this.source.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  requestAndResponse(): { request: Http2ServerRequest; response: Http2ServerResponse } {
    return requestAndResponseOf(this.source, this.head.headers, this.#rawHeaders);
  }

  #respond(
    status: number,
    header: Record<string, string>,
    trailer: Readonly<Record<string, string>> | undefined,
    body: Uint8Array | string,
  ): void {
    const stream = this.source;
    // Node copies headers given as an object once more, but not those given as a list.
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
