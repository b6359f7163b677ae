import type { IncomingMessage, ServerResponse } from "node:http";
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import { answerHeadersOf } from "../http/common-headers.ts";
import type { RequestHead } from "../http/request-head.ts";
import { requestIdFrom, requestIdHeader } from "../http/request-id.ts";
import type { StockAdapter } from "../stock-adapter/stock-adapter.ts";
import { BodyReader, type ReadSoFar } from "./body-reader.ts";
import { type CallPlan, createPlanner, type PlanCall } from "./call-plan.ts";
import { DeadlineWatch } from "./deadline-watch.ts";
import type { EncodedAnswer } from "./encode-answer.ts";
import { FastCall, type FastCallDependencies } from "./fast-call.ts";
import { type AnswerWriter, Http2Transport, http1Transport, type NodeExchange } from "./node-exchange.ts";
import type { UnaryMethod } from "./unary-methods.ts";

export type { AnswerWriter, CallPlan, EncodedAnswer, FastCall };

/** What the unary fast path works with. */
export interface UnaryFastPathOptions extends FastCallDependencies {
  /** The unary methods, and the library's handlers, by path. */
  methods: ReadonlyMap<string, UnaryMethod>;
  handlers: ReadonlyMap<string, UniversalHandler>;
  /** Where a call goes whose body turns out not to be plain. */
  stockAdapter: StockAdapter;
}

/** Plain calls for whoever reads them off a socket: each has all of its body, and is kept until it is known to be plain. */
export interface BufferedCalls {
  readonly plan: PlanCall;
  /** Makes a call whose head came at `startedMs`, as `performance.now()` counts. It does nothing until it is given its body. */
  begin(plan: CallPlan, head: RequestHead, transport: AnswerWriter, startedMs: number): FastCall;
}

/** Answers plain unary calls. Each of the first two says whether it has taken a request. */
export interface UnaryFastPath {
  takeHttp1(request: IncomingMessage, response: ServerResponse, requestId: string, startedMs?: number): boolean;
  takeHttp2(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: readonly string[]): boolean;
  readonly bufferedCalls: BufferedCalls;
}

/**
 * The way of plain unary calls, which nearly all are. It does what the library's handlers do, by the same steps, errors and limits,
 * without what a plain call has no need of: streams around one message, headers as objects, signals that nobody listens to.
 *
 * What turns out not to be plain while it is read (too long, several messages, no message of the type) goes to the stock adapter with all
 * that was read of it, so that one place alone says what is wrong with a request.
 *
 * Nothing else of this folder is used outside it.
 *
 * Rent: see docs/performance.md, `npm run bench -- rent`.
 */
export function createUnaryFastPath({ methods, handlers, stockAdapter, ...surroundings }: UnaryFastPathOptions): UnaryFastPath {
  const { limits } = surroundings;
  const plan = createPlanner(methods, handlers, limits);
  const watch = new DeadlineWatch();

  function take(transport: NodeExchange, requestId: string, startedMs = performance.now()): boolean {
    const planned = plan(transport.head);
    if (planned === undefined) return false;
    const call = new FastCall({ plan: planned, head: transport.head, transport, requestId, startedMs }, surroundings);
    const handOver = (read: ReadSoFar): void => {
      const { request, response } = transport.general();
      const answerHeaders = answerHeadersOf(requestId, transport.head.headers.origin);
      for (const [name, value] of Object.entries(answerHeaders)) response.setHeader(name, value);
      stockAdapter(planned.handler, request, response, requestId, { startedMs, ...read });
    };
    new BodyReader({ call, plan: planned, transport, limits, handOver }, watch);
    return true;
  }

  return {
    takeHttp1: (request, response, requestId, startedMs) => take(http1Transport(request, response), requestId, startedMs),
    takeHttp2(stream, headers, rawHeaders) {
      const transport = new Http2Transport(stream, headers, rawHeaders);
      try {
        return take(transport, requestIdFrom(headers[requestIdHeader]));
      } catch (error) {
        surroundings.logger.error({ err: error }, "defect");
        transport.abandon();
        return true;
      }
    },
    bufferedCalls: {
      plan,
      begin(planned, head, transport, startedMs) {
        const requestId = requestIdFrom(head.headers[requestIdHeader]);
        return new FastCall({ plan: planned, head, transport, requestId, startedMs }, surroundings);
      },
    },
  };
}
