import { PetakError } from "@petak/protocol";
import type { Logger } from "../../observability/logger.ts";
import type { Metrics } from "../../observability/metrics.ts";
import { parseTraceparent } from "../../observability/trace-context.ts";
import { wireProtocolOf } from "../call/wire-protocol.ts";
import { toWireError, wireError } from "../errors/wire-error.ts";
import { isPreflight, preflightHeaders, traceparentFrom } from "../http/common-headers.ts";
import { errorAnswer } from "../http/error-answer.ts";
import type { NodeServerRequest, NodeServerResponse } from "../http/node-http.ts";
import { abandon, sendError, sendStream, sendWhole } from "../http/send-answer.ts";
import type { PlainAnswer, PlainRoute } from "./operational-routes.ts";

/**
 * How long the sending of a page may take, in ms. What is sent is shared and replaced by newer, so that whoever reads slowly, or not at all, would keep the
 * old in memory.
 */
const sendingMaxMs = 60_000;

/** Options of {@link createPlainHttp}. */
export interface PlainHttpOptions {
  /** Answers GET and HEAD, by path. */
  routes: ReadonlyMap<string, PlainRoute>;
  /** The longest request message, in bytes. */
  readMaxBytes: number;
  logger: Logger;
  metrics: Metrics;
}

/** Answers a request that is not a call. */
export type PlainHttp = (path: string, request: NodeServerRequest, response: NodeServerResponse, requestId: string) => void;

/** Creates the function that answers everything that is not a call: preflight requests, pages, and METHOD_NOT_FOUND for unknown paths. */
export function createPlainHttp({ routes, readMaxBytes, logger, metrics }: PlainHttpOptions): PlainHttp {
  async function answerPage(
    route: PlainRoute,
    path: string,
    request: NodeServerRequest,
    response: NodeServerResponse,
    requestId: string,
  ): Promise<void> {
    let answer: PlainAnswer;
    try {
      const { accept = "", "accept-encoding": encodings = "", "if-none-match": ifNoneMatch = "" } = request.headers;
      answer = await route({ path, accept, acceptEncoding: String(encodings), ifNoneMatch });
    } catch (thrown) {
      const call = {
        requestId,
        method: path,
        protocol: "connect" as const,
        timeoutMs: undefined,
        authorization: undefined,
        origin: undefined,
        source: "",
        ticket: undefined,
        proof: undefined,
        traceparent: undefined,
        outcome: undefined,
        span: undefined,
      };
      const error = toWireError(thrown, { logger, readMaxBytes, call });
      return sendError(errorAnswer("connect", error), request, response, logger);
    }
    endInTime(response, logger);
    const { status = 200, contentType, headers } = answer;
    const none = new Uint8Array();
    if (status === 304) return sendWhole({ status, header: new Headers(headers), body: none }, request, response);
    const parts = partsOf(answer.body);
    const length = parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
    const header = new Headers({ ...headers, "content-type": contentType, "content-length": String(length) });
    const [only = none] = parts;
    if (parts.length <= 1 || request.method === "HEAD") sendWhole({ status, header, body: only }, request, response);
    else sendStream({ status, header, body: inParts(parts) }, request, response, logger);
  }

  function refuseMethod(path: string, request: NodeServerRequest, response: NodeServerResponse): void {
    const error = new PetakError("METHOD_NOT_FOUND", `${path} must be requested with GET, not ${request.method}.`);
    const refusal = errorAnswer("connect", wireError(error, undefined), { status: 405, header: { allow: "GET, HEAD" } });
    sendError(refusal, request, response, logger);
  }

  function refusePath(path: string, request: NodeServerRequest, response: NodeServerResponse, requestId: string): void {
    const contentType = request.headers["content-type"];
    const asked = wireProtocolOf(contentType);
    // gRPC's status follows the body, where clients of HTTP/1.1 do not read it.
    const protocol = asked === "grpc" && request.httpVersionMajor < 2 ? "connect" : asked;
    const error = new PetakError(
      "METHOD_NOT_FOUND",
      `${path}: the gateway has no such method or page here. The page /reference lists the methods.`,
    );
    metrics.rpcDuration.count("unknown", protocol, "unimplemented", 0);
    const trace = parseTraceparent(traceparentFrom(request.headers));
    logger.info(
      {
        ...{ request_id: requestId, method: "unknown", protocol, code: "unimplemented", reason: error.reason },
        ...{ trace_id: trace?.traceId, span_id: trace?.spanId },
      },
      "rpc",
    );
    sendError(errorAnswer(protocol, wireError(error, undefined), { contentType, status: 404 }), request, response, logger);
  }

  return (path, request, response, requestId) => {
    const route = routes.get(path);
    if (isPreflight(request)) {
      sendWhole({ status: 204, header: new Headers(preflightHeaders), body: new Uint8Array() }, request, response);
    } else if (route === undefined) {
      refusePath(path, request, response, requestId);
    } else if (request.method === "GET" || request.method === "HEAD") {
      answerPage(route, path, request, response, requestId).catch((error: unknown) => abandon(response, logger, error));
    } else {
      refuseMethod(path, request, response);
    }
  };
}

function endInTime(response: NodeServerResponse, logger: Logger): void {
  const timer = setTimeout(() => abandon(response, logger, new Error(`not sent within ${sendingMaxMs} ms`)), sendingMaxMs);
  timer.unref();
  response.once("close", () => clearTimeout(timer));
}

function partsOf(body: PlainAnswer["body"]): readonly Uint8Array[] {
  if (typeof body === "string") return [Buffer.from(body)];
  return body instanceof Uint8Array ? [body] : body;
}

async function* inParts(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void, undefined> {
  yield* parts;
}
