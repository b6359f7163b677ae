import { Code, ConnectError, createContextValues } from "@connectrpc/connect";
import type { UniversalHandler, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import { reasonOf } from "@petak/protocol";
import type { Logger } from "../../observability/logger.ts";
import { type Call, callKey } from "../call/call.ts";
import type { RecordCall } from "../call/call-record.ts";
import { wireProtocolOf } from "../call/wire-protocol.ts";
import { fromAdapterError, malformedMessage } from "../errors/adapter-error.ts";
import { wireError } from "../errors/wire-error.ts";
import { errorAnswer } from "../http/error-answer.ts";
import type { NodeServerRequest, NodeServerResponse } from "../http/node-http.ts";
import { bodyMaxBytes, boundedBody, expectsContinue } from "../http/request-body.ts";
import { abandon, collectAnswer, sendError, sendStream, sendWhole } from "../http/send-answer.ts";
import { type AbortableRequest, universalRequest } from "../http/universal-request.ts";
import type { CallLimits } from "../limits/call-limits.ts";
import { limitDeadlineHeader } from "../limits/deadline.ts";
import { repairErrors } from "./error-repair.ts";
import { explainedRefusal, grpcNeedsHttp2 } from "./refused-requests.ts";

/** What answering a call depends on. */
export interface AnswerCallDependencies {
  limits: CallLimits;
  logger: Logger;
  recordCall: RecordCall;
}

/** A call that the unary fast path has begun to read. */
export interface BegunCall {
  /** The value of `performance.now()` when its headers arrived. */
  startedMs: number;
  /** The part of its body that was read. */
  chunks: readonly Uint8Array[];
  /** Whether that is the whole body. */
  isWhole: boolean;
}

/**
 * Answers one call with its handler of the RPC library. Limits its deadline and body, replaces the library's errors by those of the catalogue,
 * and records the call when its connection or stream is done with it.
 */
export function answerCall(
  { limits, logger: parentLogger, recordCall }: AnswerCallDependencies,
  handler: UniversalHandler,
  request: NodeServerRequest,
  response: NodeServerResponse,
  requestId: string,
  begun?: BegunCall,
): void {
  const startedMs = begun?.startedMs ?? performance.now();
  const { method } = handler;
  const contentType = request.headers["content-type"];
  const protocol = wireProtocolOf(contentType);
  const logger = parentLogger.child({ request_id: requestId });
  const values = createContextValues();
  let universal: AbortableRequest;
  try {
    universal = universalRequest(request, values);
  } catch (cause) {
    const error = malformedMessage("The request's target is no URL.", cause);
    sendError(errorAnswer(protocol, wireError(error, undefined), { contentType }), request, response, logger);
    return;
  }
  const streaming = method.methodKind !== "unary";
  const call: Call = {
    requestId,
    method: `${method.parent.typeName}/${method.name}`,
    protocol,
    timeoutMs: limitDeadlineHeader(universal.request.header, protocol, { ...limits, streaming }),
    authorization: request.headers.authorization,
    origin: request.headers.origin,
    outcome: undefined,
  };
  values.set(callKey, call);
  const hasManyRequests = method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming";
  const body = boundedBody(request, response, {
    maxBytes: hasManyRequests ? undefined : bodyMaxBytes(protocol, limits.readMaxBytes),
    limitBytes: limits.readMaxBytes,
    timeoutMs: call.timeoutMs,
    readAlready: begun,
  });

  function repair(error: ConnectError): ConnectError {
    const reason = reasonOf(error);
    if (reason !== undefined) {
      call.outcome ??= { code: codeToString(error.code), reason };
      return error;
    }
    const repaired = fromAdapterError(error, { readMaxBytes: limits.readMaxBytes, timeoutMs: call.timeoutMs });
    if (repaired.reason === "INTERNAL") logger.error({ method: call.method, said: error.rawMessage }, "defect");
    return wireError(repaired, call);
  }

  let completed = false;
  let closed = false;
  let answerBody: AsyncIterator<Uint8Array> | undefined;
  response.once("close", () => {
    closed = true;
    // If the client has gone, the answer's iterator waits for room for ever. Only this runs the handler's `finally`.
    answerBody?.return?.().catch(() => {});
    if (!completed) {
      universal.abort();
      call.outcome ??= { code: codeToString(Code.Canceled), reason: "CANCELED" };
    }
    recordCall(call, values, startedMs);
  });

  async function answer(): Promise<UniversalServerResponse> {
    if (protocol === "grpc" && request.httpVersionMajor < 2) return grpcNeedsHttp2(call);
    try {
      const answered = await handler({ ...universal.request, body });
      if (answered.body === undefined) return explainedRefusal(answered, handler, request, call);
      return await repairErrors(protocol, answered, repair);
    } catch (thrown) {
      return errorAnswer(protocol, repair(ConnectError.from(thrown, Code.Internal)), { contentType });
    }
  }

  async function send(): Promise<void> {
    const answered = await answer();
    if (closed) return;
    // The client was never asked for its body, and the connection would wait for it.
    if (expectsContinue(request) && !request.readableDidRead && !("stream" in request)) response.setHeader("connection", "close");
    // The answer to a unary call is one message, which is written at once.
    if (!streaming || answered.header?.has("content-length") === true) {
      const whole = await collectAnswer(answered);
      completed = true;
      return sendWhole(whole, request, response);
    }
    const chunks = answered.body?.[Symbol.asyncIterator]();
    answerBody = chunks;
    const marked = completing(chunks, () => {
      completed = true;
    });
    sendStream({ ...answered, body: marked }, request, response, logger);
  }

  send().catch((error: unknown) => abandon(response, logger, error));
}

/** Passes the chunks on, and calls `onEnd` after the last one. */
async function* completing(chunks: AsyncIterator<Uint8Array> | undefined, onEnd: () => void): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for (;;) {
      const chunk = await chunks?.next();
      if (chunk === undefined || chunk.done === true) break;
      yield chunk.value;
    }
    onEnd();
  } finally {
    chunks?.return?.().catch(() => {});
  }
}
