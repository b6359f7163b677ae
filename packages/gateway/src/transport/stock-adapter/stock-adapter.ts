import { Code, ConnectError, createContextValues } from "@connectrpc/connect";
import type { UniversalHandler, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import { PetakError, reasonOf } from "@petak/protocol";
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

/** What answering calls needs. */
export interface StockAdapterOptions {
  limits: CallLimits;
  logger: Logger;
  recordCall: RecordCall;
}

/** A call that somebody else began to read. */
export interface BegunCall {
  /** What `performance.now()` said when its headers came. */
  startedMs: number;
  /** What was read of its body, and whether that was all. */
  chunks: readonly Uint8Array[];
  isWhole: boolean;
}

/** Answers one call by the library's handler. */
export type StockAdapter = (
  handler: UniversalHandler,
  request: NodeServerRequest,
  response: NodeServerResponse,
  requestId: string,
  begun?: BegunCall,
) => void;

/**
 * The way of every call that is not plain: through the library's handlers. It bounds the deadline and the body and repairs the library's
 * errors.
 */
export function createStockAdapter({ limits, logger: parentLogger, recordCall }: StockAdapterOptions): StockAdapter {
  return (handler, request, response, requestId, begun) => {
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
    const manyMessages = method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming";
    const body = boundedBody(request, response, {
      maxBytes: manyMessages ? undefined : bodyMaxBytes(protocol, limits.readMaxBytes),
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
      // A client that goes away leaves the answer's iterator waiting for room that never comes; only this wakes the handler's `finally`.
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
        if (answered.body === undefined) return bareAnswer(answered, handler, request, call);
        return await repairErrors(protocol, answered, repair);
      } catch (thrown) {
        return errorAnswer(protocol, repair(ConnectError.from(thrown, Code.Internal)), { contentType });
      }
    }

    async function send(): Promise<void> {
      const answered = await answer();
      if (closed) return;
      // The connection waits for a body that was never asked for.
      if (expectsContinue(request) && !request.readableDidRead && !("stream" in request)) response.setHeader("connection", "close");
      // The answer to a unary call is one message: written in one go, it needs no iterators and no waiting for room.
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
  };
}

/** gRPC tells its status after the body, which clients of HTTP/1.1 do not read. Without it, a refusal would look like an empty success. */
function grpcNeedsHttp2(call: Call): UniversalServerResponse {
  const error = new PetakError("ENCODING_NOT_SUPPORTED", "gRPC requires HTTP/2. Use gRPC-Web or Connect over HTTP/1.1.");
  return errorAnswer("connect", wireError(error, call), { status: 505 });
}

/** The library refuses some requests with a bare status. They get a body that says why. */
function bareAnswer(
  answer: UniversalServerResponse,
  handler: UniversalHandler,
  request: NodeServerRequest,
  call: Call,
): UniversalServerResponse {
  const header = Object.fromEntries(answer.header ?? []);
  const { status } = answer;
  const path = handler.requestPath;
  const methods = handler.allowedMethods.filter((one, index, all) => all.indexOf(one) === index).join(", ");
  if (status === 405) {
    const error = new PetakError("METHOD_NOT_FOUND", `${path} must be called with ${methods}, not ${request.method}.`);
    return errorAnswer("connect", wireError(error, call), { status, header: { ...header, allow: methods } });
  }
  if (status === 505) {
    const error = new PetakError("ENCODING_NOT_SUPPORTED", `${path} is a bidirectional stream, which requires HTTP/2.`);
    return errorAnswer("connect", wireError(error, call), { status, header });
  }
  const accepted = acceptPost(handler);
  const error = new PetakError("ENCODING_NOT_SUPPORTED", unsupported(path, request, accepted), { metadata: { accepted } });
  return errorAnswer("connect", wireError(error, call), { status: 415, header: { ...header, "accept-post": accepted } });
}

function unsupported(path: string, request: NodeServerRequest, accepted: string): string {
  if (request.method === "GET") return `${path} called with GET requires the query parameters encoding (json or proto) and message.`;
  const type = request.headers["content-type"];
  return `${type === undefined ? "No content type" : `Content type ${type}`} for ${path}. Send one of: ${accepted}.`;
}

function acceptPost({ method }: UniversalHandler): string {
  const connect =
    method.methodKind === "unary" ? ["application/json", "application/proto"] : ["application/connect+json", "application/connect+proto"];
  return [...connect, "application/grpc", "application/grpc-web"].join(", ");
}

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
