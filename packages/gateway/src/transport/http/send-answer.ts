import { constants } from "node:http2";
import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { universalResponseToNodeResponse } from "@connectrpc/connect-node";
import type { Logger } from "../../observability/logger.ts";
import type { NodeServerRequest, NodeServerResponse } from "./node-http.ts";
import { discardRequest } from "./request-body.ts";

/** An answer with its complete body. */
export interface WholeAnswer {
  status: number;
  header: Headers;
  body: Uint8Array;
  /** The trailers, for gRPC. */
  trailer?: Headers | undefined;
}

/** Reads the body of a response of the RPC library to its end. */
export async function collectAnswer({ status, header = new Headers(), body, trailer }: UniversalServerResponse): Promise<WholeAnswer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body ?? []) chunks.push(chunk);
  const [only = new Uint8Array()] = chunks.length === 1 ? chunks : [Buffer.concat(chunks)];
  return { status, header, body: only, trailer };
}

/** Writes a complete answer at once, and discards the rest of the request's body. */
export function sendWhole({ status, header, body, trailer }: WholeAnswer, request: NodeServerRequest, response: NodeServerResponse): void {
  response.statusCode = status;
  for (const [name, value] of header) response.setHeader(name, value);
  if (trailer !== undefined) {
    // Headers sent together with the end would end the stream before the trailers.
    if ("stream" in response) response.writeHead(status);
    response.addTrailers(Object.fromEntries(trailer));
  }
  if (request.method === "HEAD" || body.byteLength === 0) response.end();
  else response.end(body);
  discardRequest(request);
}

/** Writes an answer chunk by chunk, with backpressure, and then discards the rest of the request's body. */
export function sendStream(
  answer: UniversalServerResponse,
  request: NodeServerRequest,
  response: NodeServerResponse,
  logger: Logger,
): void {
  const body = thenDiscard(answer.body ?? [], request);
  universalResponseToNodeResponse({ ...answer, body }, response).catch((error: unknown) => abandon(response, logger, error));
}

/** Writes an error of any protocol. The rest of the request's body is discarded meanwhile. */
export function sendError(answer: UniversalServerResponse, request: NodeServerRequest, response: NodeServerResponse, logger: Logger): void {
  sendStream(answer, request, response, logger);
  discardRequest(request);
}

/** Aborts an answer that can no longer be delivered correctly. */
export function abandon(response: NodeServerResponse, logger: Logger, error: unknown): void {
  logger.debug({ err: error }, "answer not delivered");
  reset(response, constants.NGHTTP2_INTERNAL_ERROR);
}

/** Closes the stream or connection of a request that is not answered, because too many refusals wait already. */
export function giveUp(response: NodeServerResponse): void {
  reset(response, constants.NGHTTP2_ENHANCE_YOUR_CALM);
}

function reset(response: NodeServerResponse, code: number): void {
  if ("stream" in response) response.stream?.close(code);
  else response.destroy();
}

async function* thenDiscard(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  request: NodeServerRequest,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield* chunks;
  discardRequest(request);
}
