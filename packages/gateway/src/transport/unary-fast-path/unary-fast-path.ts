import type { IncomingMessage, ServerResponse } from "node:http";
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { answerHeadersOf, requestIdFrom, requestIdHeader } from "../http/common-headers.ts";
import type { RequestHead } from "../http/node-http.ts";
import type { Peer } from "../limits/peer.ts";
import type { StockAdapter } from "../stock-adapter/stock-adapter.ts";

import { BodyReader, type ReadSoFar } from "./body-reader.ts";
import { type CallPlan, createPlanner, type PlanCall } from "./call-plan.ts";
import { DeadlineWatch } from "./deadline-watch.ts";
import type { AnswerEncoder, EncodedAnswer } from "./encode-answer.ts";
import { FastCall, type FastCallDependencies } from "./fast-call.ts";
import { type AnswerWriter, Http2Exchange, http1Exchange, type NodeExchange } from "./node-exchange.ts";
import { unaryMethodsOf } from "./unary-methods.ts";

export type { AnswerEncoder, AnswerWriter, CallPlan, EncodedAnswer, FastCall };

/** Options of {@link createUnaryFastPath}. */
export interface UnaryFastPathOptions extends FastCallDependencies {
  /** Has the services, and gets the calls whose body turns out not to be plain. */
  stockAdapter: StockAdapter;
  /** Faster encoders of answers. */
  encoders: readonly AnswerEncoder[];
}

/** Plain calls whose caller buffers the whole body, so that it can still give the call away if it is not plain. */
export interface BufferedCalls {
  readonly plan: PlanCall;
  /**
   * Creates a call, which does nothing until it gets its body.
   *
   * @param startedMs the value of `performance.now()` when its head arrived
   */
  begin(plan: CallPlan, head: RequestHead, writer: AnswerWriter, startedMs: number, peer: Peer): FastCall;
}

/** Answers plain unary calls. The first two methods return false, having done nothing, if the request is not one. */
export interface UnaryFastPath {
  takeHttp1(request: IncomingMessage, response: ServerResponse, requestId: string, startedMs?: number): boolean;
  takeHttp2(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: readonly string[]): boolean;
  readonly bufferedCalls: BufferedCalls;
}

/**
 * Creates the path of plain unary calls, which nearly all calls are. It applies the same steps, errors and limits as the stock adapter, without
 * what such a call does not need: streams around one message, `Headers` objects, signals that nobody listens to.
 *
 * A call that turns out not to be plain while its body is read (too long, several messages, not of the method's type) is passed to the stock
 * adapter with everything read so far, so that only the stock adapter decides what is wrong with a request.
 *
 * Nothing else of this folder is used outside it.
 *
 * Rent (`npm run bench -- rent`, commit 1254f10): 63 to 79 % of the processor time of a search from all over the city, 29 to 32 % of a life.
 */
export function createUnaryFastPath({ stockAdapter, encoders, ...dependencies }: UnaryFastPathOptions): UnaryFastPath {
  const { limits } = dependencies;
  const planOf = createPlanner(unaryMethodsOf(stockAdapter.services, encoders), limits);
  const watch = new DeadlineWatch();

  function take(exchange: NodeExchange, requestId: string, startedMs = performance.now()): boolean {
    const { head } = exchange;
    const plan = planOf(head);
    if (plan === undefined) return false;
    const { peer } = exchange;
    const call = new FastCall({ plan, head, writer: exchange, requestId, startedMs, peer }, dependencies);
    const handOver = (read: ReadSoFar): void => {
      const { request, response } = exchange.requestAndResponse();
      for (const [name, value] of Object.entries(answerHeadersOf(requestId, head.headers.origin))) response.setHeader(name, value);
      stockAdapter.answer(head.path, request, response, requestId, { startedMs, ...read });
    };
    new BodyReader({ call, plan, exchange, handOver }, watch);
    return true;
  }

  return {
    takeHttp1: (request, response, requestId, startedMs) => take(http1Exchange(request, response), requestId, startedMs),
    takeHttp2(stream, headers, rawHeaders) {
      const exchange = new Http2Exchange(stream, headers, rawHeaders);
      try {
        return take(exchange, requestIdFrom(headers[requestIdHeader]));
      } catch (error) {
        dependencies.logger.error({ err: error }, "defect");
        exchange.abandon();
        return true;
      }
    },
    bufferedCalls: {
      plan: planOf,
      begin(plan, head, writer, startedMs, peer) {
        return new FastCall({ plan, head, writer, requestId: requestIdFrom(head.headers[requestIdHeader]), startedMs, peer }, dependencies);
      },
    },
  };
}
