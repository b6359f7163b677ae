import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { ConnectRouter } from "@connectrpc/connect";
import type { Logger } from "../../observability/logger.ts";
import type { Metrics } from "../../observability/metrics.ts";
import type { Tracing } from "../../observability/tracing.ts";
import type { DescribeCaller } from "../call/call.ts";
import { createCallRecorder } from "../call/call-record.ts";
import type { CallStep, CheckValidated } from "../call/call-step.ts";
import { type CallerAccounts, noCallerAccounts } from "../call/caller-accounts.ts";
import { malformedMessage } from "../errors/adapter-error.ts";
import { wireError } from "../errors/wire-error.ts";
import { namedTwice } from "../http/ambiguous-host.ts";
import { answerInTurn } from "../http/answer-in-turn.ts";
import { answerHeadersOf, isPreflight, requestIdFrom, requestIdHeader } from "../http/common-headers.ts";
import { errorAnswer } from "../http/error-answer.ts";
import type { NodeServerRequest, NodeServerResponse } from "../http/node-http.ts";
import { abandon, sendError } from "../http/send-answer.ts";
import type { Accounts } from "../limits/accounts.ts";
import { createAdmission } from "../limits/admission.ts";
import { type CallLimits, defaultCallLimits } from "../limits/call-limits.ts";
import { isHealthPath } from "../limits/health-path.ts";
import { peerOf, sourceOf } from "../limits/peer.ts";
import type { PlainRoute } from "../plain-http/operational-routes.ts";
import { createPlainHttp } from "../plain-http/plain-http.ts";
import { createStockAdapter } from "../stock-adapter/stock-adapter.ts";
import { type AnswerEncoder, type BufferedCalls, createUnaryFastPath } from "../unary-fast-path/unary-fast-path.ts";

/** Options of {@link createRequestListener}. */
export interface RequestListenerOptions {
  /** Registers the services. */
  routes: (router: ConnectRouter) => void;
  /** Steps between the deadline and the validation, outermost first: they identify the caller and translate failures of the store. */
  steps?: readonly CallStep[];
  /** Tells whom calls are counted for. Default: for the addresses that they come from. */
  callers?: CallerAccounts;
  /** The accounts of callers. Default: new ones. */
  accounts?: Accounts;
  /** The last check of unary calls, before their handlers. */
  checkValidated?: CheckValidated;
  /** Omitted limits have their defaults. */
  limits?: Partial<CallLimits>;
  logger: Logger;
  metrics: Metrics;
  /** Aborts when the gateway begins to stop. The signal of a stream then aborts too, that of a unary call does not. */
  shutdownSignal?: AbortSignal;
  /** Answers GET and HEAD, by path. */
  plainRoutes?: ReadonlyMap<string, PlainRoute>;
  /** Names the caller in the log. */
  describeCaller?: DescribeCaller;
  /** Records calls as spans. Default: nothing does. */
  tracing?: Tracing | undefined;
  /** Faster encoders for plain unary calls. Default: none. */
  encoders?: readonly AnswerEncoder[];
  /** Whether plain unary calls take the unary fast path. Default true; false for comparisons. */
  hasUnaryFastPath?: boolean;
  /** Whether the HTTP/1.1 fast reader reads them, where they come over HTTP/1.1. Needs the unary fast path. Default true; false for comparisons. */
  hasHttp1FastReader?: boolean;
}

/** Answers the requests of both versions of HTTP. */
export interface RequestListener {
  /** Answers a request. `startedMs` is the value of `performance.now()` when its head arrived. Default: now. */
  (request: NodeServerRequest, response: NodeServerResponse, startedMs?: number): void;
  /** Answers a bare HTTP/2 stream if it is a plain unary call. Otherwise returns false, having done nothing. */
  takeStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: readonly string[]): boolean;
  /** The plain calls for the HTTP/1.1 fast reader. Undefined if it is switched off. */
  readonly bufferedCalls?: BufferedCalls | undefined;
}

/** Creates the listener that passes each request to the unary fast path, the stock adapter or plain HTTP. */
export function createRequestListener(options: RequestListenerOptions): RequestListener {
  const { routes, logger, metrics, shutdownSignal, describeCaller, hasUnaryFastPath = true, hasHttp1FastReader = true } = options;
  const limits = { ...defaultCallLimits, ...options.limits };
  const admission = createAdmission({ limits, metrics, ...(options.accounts && { accounts: options.accounts }) });
  const dependencies = {
    admission,
    callers: options.callers ?? noCallerAccounts,
    steps: options.steps ?? [],
    checkValidated: options.checkValidated,
    limits,
    logger,
    recordCall: createCallRecorder({ logger, metrics, describeCaller, tracing: options.tracing }),
  };
  const stockAdapter = createStockAdapter({ ...dependencies, routes, shutdownSignal });
  const fastPath = hasUnaryFastPath ? createUnaryFastPath({ ...dependencies, stockAdapter, encoders: options.encoders ?? [] }) : undefined;
  const answerPlainHttp = createPlainHttp({
    routes: options.plainRoutes ?? new Map(),
    readMaxBytes: limits.readMaxBytes,
    logger,
    metrics,
  });

  function answer(request: NodeServerRequest, response: NodeServerResponse, startedMs: number | undefined): void {
    // A connection that breaks within a request needs no handling here: the call's signal aborts.
    request.on("error", () => {});
    response.on("error", () => {});
    const requestId = requestIdFrom(request.headers[requestIdHeader]);
    const path = pathOf(request.url);
    const inTurn = (answerNow: () => void): void => {
      const peer = peerOf("stream" in request ? request.stream.session : request.socket);
      answerInTurn(admission, isHealthPath(path) ? peer : admission.accounts.of(sourceOf(peer, request.headers)), response, answerNow);
    };
    const repeated = namedTwice(request);
    if (repeated !== undefined) {
      inTurn(() => refuseAmbiguous(repeated, request, response, requestId));
      return;
    }
    // There are no tunnels.
    if (request.method === "CONNECT") {
      response.statusCode = 405;
      inTurn(() => void response.end());
      return;
    }
    // HTTP/2 streams were offered to the fast path by `takeStream`.
    const isHttp1 = !("stream" in response) && !("stream" in request);
    if (isHttp1 && fastPath?.takeHttp1(request, response, requestId, startedMs) === true) return;
    for (const [name, value] of Object.entries(answerHeadersOf(requestId, request.headers.origin))) response.setHeader(name, value);
    if (!isPreflight(request) && stockAdapter.answer(path, request, response, requestId)) return;
    inTurn(() => answerPlainHttp(path, request, response, requestId));
  }

  function refuseAmbiguous(repeated: string, request: NodeServerRequest, response: NodeServerResponse, requestId: string): void {
    response.setHeader(requestIdHeader, requestId);
    if (!("stream" in response)) response.setHeader("connection", "close");
    const error = malformedMessage(
      `The request has more than one ${repeated}. Send one Host header or one :authority, and one Authorization header.`,
    );
    sendError(errorAnswer("connect", wireError(error, undefined)), request, response, logger);
  }

  function listen(request: NodeServerRequest, response: NodeServerResponse, startedMs?: number): void {
    try {
      answer(request, response, startedMs);
    } catch (error) {
      // An error here would end the process and every other call with it.
      logger.error({ err: error }, "defect");
      abandon(response, logger, error);
    }
  }

  return Object.assign(listen, {
    takeStream: (...[stream, headers, rawHeaders]: Parameters<RequestListener["takeStream"]>) =>
      namedTwice({ headers, rawHeaders }) === undefined && fastPath?.takeHttp2(stream, headers, rawHeaders) === true,
    bufferedCalls: hasHttp1FastReader ? fastPath?.bufferedCalls : undefined,
  });
}

/** Returns the path of a request target, which may also be a whole URL. */
function pathOf(target: string | undefined): string {
  const [path = ""] = (target ?? "").split("?", 1);
  return path.replace(/^https?:\/\/[^/]*/i, "") || "/";
}
