import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { ConnectRouter } from "@connectrpc/connect";
import { createConnectRouter } from "@connectrpc/connect";
import { compressionGzip } from "@connectrpc/connect-node";
import { PetakError } from "@petak/protocol";
import type { Logger } from "../../observability/logger.ts";
import type { Metrics } from "../../observability/metrics.ts";
import type { DescribeCaller } from "../call/call.ts";
import { createCallRecorder } from "../call/call-record.ts";
import type { CallStep } from "../call/call-step.ts";
import { wireProtocolOf } from "../call/wire-protocol.ts";
import { toWireError, wireError } from "../errors/wire-error.ts";
import { answerHeadersOf } from "../http/common-headers.ts";
import { preflightHeaders } from "../http/cors.ts";
import { errorAnswer } from "../http/error-answer.ts";
import type { NodeServerRequest, NodeServerResponse } from "../http/node-http.ts";
import { requestIdFrom, requestIdHeader } from "../http/request-id.ts";
import { abandon, sendError, sendWhole } from "../http/send-answer.ts";
import { createAdmission } from "../limits/admission.ts";
import { type CallLimits, defaultCallLimits } from "../limits/call-limits.ts";
import type { PlainAnswer, PlainRoute } from "../plain-http/operational-routes.ts";
import { rpcInterceptors } from "../stock-adapter/interceptors.ts";
import { createStockAdapter } from "../stock-adapter/stock-adapter.ts";
import { compressLargeInStreams } from "../stock-adapter/stream-compression.ts";
import type { AnswerEncoder } from "../unary-fast-path/answer-encoder.ts";
import { type BufferedCalls, createUnaryFastPath } from "../unary-fast-path/unary-fast-path.ts";
import { keepUnaryMethods } from "../unary-fast-path/unary-methods.ts";

/** What the listener serves and how. */
export interface RequestListenerOptions {
  /** Registers the services. */
  routes: (router: ConnectRouter) => void;
  /** Steps between the deadline and the validation, outermost first: who the caller is, what becomes of a store's failure. */
  steps?: readonly CallStep[];
  /** See {@link CallLimits}; what is left out has its default. */
  limits?: Partial<CallLimits>;
  logger: Logger;
  metrics: Metrics;
  /** Aborts when the gateway begins to stop: the signal of a stream aborts then too, that of a unary call does not. */
  shutdownSignal?: AbortSignal;
  /** GET and HEAD by path, beside the calls. */
  plainRoutes?: ReadonlyMap<string, PlainRoute>;
  /** Names the caller in the log. */
  describeCaller?: DescribeCaller;
  /** Faster encoders for plain unary calls. Default: none. */
  encoders?: readonly AnswerEncoder[];
  /** Whether plain unary calls take the unary fast path. Default true; false where the two are compared. */
  hasUnaryFastPath?: boolean;
  /** Whether those of HTTP/1.1 are read without Node's server. Default true; false where the two are compared. */
  hasHttp1FastReader?: boolean;
}

/** Answers the requests of both versions of HTTP. */
export interface RequestListener {
  /** Answers a request. `startedMs` is what `performance.now()` said when its head came, where that is some time ago. */
  (request: NodeServerRequest, response: NodeServerResponse, startedMs?: number): void;
  /** Answers a stream of HTTP/2 as it is, where it can. Says whether it does. */
  takeStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: readonly string[]): boolean;
  /** Answers the plain calls of HTTP/1.1 that are read without Node's server. Undefined: none are. */
  readonly bufferedCalls?: BufferedCalls | undefined;
}

/** Makes the one listener behind the port: calls in all protocols, plain pages, preflights, and an error with a reason for all else. */
export function createRequestListener(options: RequestListenerOptions): RequestListener {
  const {
    logger,
    metrics,
    shutdownSignal,
    describeCaller,
    plainRoutes = new Map(),
    hasUnaryFastPath = true,
    hasHttp1FastReader = true,
  } = options;
  const limits = { ...defaultCallLimits, ...options.limits };
  const sequence = {
    admission: createAdmission({ ...limits, metrics }),
    steps: options.steps ?? [],
  };
  const interceptors = rpcInterceptors({ ...sequence, ...limits, logger, ...(shutdownSignal && { shutdownSignal }) });
  const router = createConnectRouter({
    interceptors,
    readMaxBytes: limits.readMaxBytes,
    writeMaxBytes: limits.writeMaxBytes,
    // Deadlines are bounded before the library sees them.
    maxTimeoutMs: Number.MAX_SAFE_INTEGER,
    acceptCompression: [compressionGzip],
    // A field that does not exist is refused, although newer clients then cannot send new fields to older gateways in JSON: whoever
    // mistypes `radiusM` must be told, and not get an answer to another question. In binary, unknown fields are kept.
    jsonOptions: { ignoreUnknownFields: false },
  });
  const unary = keepUnaryMethods(compressLargeInStreams(router), options.encoders ?? []);
  options.routes(unary.router);
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  const surroundings = { limits, logger, recordCall: createCallRecorder({ logger, metrics, describeCaller }) };
  const stockAdapter = createStockAdapter(surroundings);
  const { methods } = unary;
  const unaryFastPath = hasUnaryFastPath
    ? createUnaryFastPath({ ...surroundings, ...sequence, methods, handlers, stockAdapter })
    : undefined;

  function notFound(request: NodeServerRequest, response: NodeServerResponse, path: string, requestId: string): void {
    const contentType = request.headers["content-type"];
    const asked = wireProtocolOf(contentType);
    // gRPC's status follows the body, which HTTP/1.1 does not have.
    const protocol = asked === "grpc" && request.httpVersionMajor < 2 ? "connect" : asked;
    const error = new PetakError(
      "METHOD_NOT_FOUND",
      `${path}: the gateway has no such method or page. Server reflection lists the methods.`,
    );
    metrics.rpcDuration.count("unknown", protocol, "unimplemented", 0);
    logger.info({ request_id: requestId, method: "unknown", protocol, code: "unimplemented", reason: error.reason }, "rpc");
    sendError(errorAnswer(protocol, wireError(error, undefined), { contentType, status: 404 }), request, response, logger);
  }

  async function answerPlain(
    route: PlainRoute,
    request: NodeServerRequest,
    response: NodeServerResponse,
    path: string,
    requestId: string,
  ): Promise<void> {
    let answer: PlainAnswer;
    try {
      answer = await route({ path, accept: request.headers.accept ?? "" });
    } catch (thrown) {
      const call = {
        requestId,
        method: path,
        protocol: "connect" as const,
        timeoutMs: undefined,
        authorization: undefined,
        origin: undefined,
        outcome: undefined,
      };
      const error = toWireError(thrown, { logger, readMaxBytes: limits.readMaxBytes, call });
      return sendError(errorAnswer("connect", error), request, response, logger);
    }
    const body = Buffer.from(answer.body);
    const header = new Headers({ ...answer.headers, "content-type": answer.contentType, "content-length": String(body.byteLength) });
    sendWhole({ status: answer.status ?? 200, header, body }, request, response);
  }

  function answer(request: NodeServerRequest, response: NodeServerResponse, startedMs: number | undefined): void {
    // A connection that breaks in mid-request is no event: the call's own signal tells.
    request.on("error", () => {});
    response.on("error", () => {});
    const requestId = requestIdFrom(request.headers[requestIdHeader]);
    // Streams of HTTP/2 have been offered to it before.
    const isHttp1 = !("stream" in response) && !("stream" in request);
    if (isHttp1 && unaryFastPath?.takeHttp1(request, response, requestId, startedMs) === true) return;
    for (const [name, value] of Object.entries(answerHeadersOf(requestId, request.headers.origin))) response.setHeader(name, value);
    const path = pathOf(request.url);
    const route = plainRoutes.get(path);
    const handler = handlers.get(path);
    if (request.method === "OPTIONS" && request.headers["access-control-request-method"] !== undefined) {
      sendWhole({ status: 204, header: new Headers(preflightHeaders), body: new Uint8Array() }, request, response);
    } else if (handler !== undefined) {
      stockAdapter(handler, request, response, requestId);
    } else if (route === undefined) {
      notFound(request, response, path, requestId);
    } else if (request.method === "GET" || request.method === "HEAD") {
      answerPlain(route, request, response, path, requestId).catch((error: unknown) => abandon(response, logger, error));
    } else {
      const error = new PetakError("METHOD_NOT_FOUND", `${path} must be requested with GET, not ${request.method}.`);
      const refusal = errorAnswer("connect", wireError(error, undefined), { status: 405, header: { allow: "GET, HEAD" } });
      sendError(refusal, request, response, logger);
    }
  }

  function listen(request: NodeServerRequest, response: NodeServerResponse, startedMs?: number): void {
    try {
      answer(request, response, startedMs);
    } catch (error) {
      // A listener that throws ends the process, and with it every other call.
      logger.error({ err: error }, "defect");
      abandon(response, logger, error);
    }
  }

  return Object.assign(listen, {
    takeStream: unaryFastPath?.takeHttp2 ?? (() => false),
    bufferedCalls: hasHttp1FastReader ? unaryFastPath?.bufferedCalls : undefined,
  });
}

/** The path of a request target, which may also be a whole URL. */
function pathOf(target: string | undefined): string {
  const [path = ""] = (target ?? "").split("?", 1);
  return path.replace(/^https?:\/\/[^/]*/i, "") || "/";
}
