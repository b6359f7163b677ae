import { Code, ConnectError, type ContextValues, createContextValues } from "@connectrpc/connect";
import type { UniversalHandler, UniversalServerResponse } from "@connectrpc/connect/protocol";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import { mayNeedProof, reasonOf } from "@petak/protocol";
import type { Logger } from "../../observability/logger.ts";
import { type Call, callKey } from "../call/call.ts";
import type { RecordCall } from "../call/call-record.ts";
import type { SteppedCall } from "../call/call-step.ts";
import type { CallerAccounts } from "../call/caller-accounts.ts";
import type { CancelTurn, Ticket } from "../call/ticket.ts";
import { untilAborted } from "../call/until-aborted.ts";
import { wireProtocolOf } from "../call/wire-protocol.ts";
import { deadlineExceeded, fromAdapterError, malformedMessage } from "../errors/adapter-error.ts";
import { toWireError, wireError } from "../errors/wire-error.ts";
import { answerInTurn } from "../http/answer-in-turn.ts";
import { proofFrom, traceparentFrom } from "../http/common-headers.ts";
import { errorAnswer } from "../http/error-answer.ts";
import type { NodeServerRequest, NodeServerResponse } from "../http/node-http.ts";
import { bodyMaxBytes, boundedBody, expectsContinue } from "../http/request-body.ts";
import { abandon, collectAnswer, giveUp, sendError, sendStream, sendWhole } from "../http/send-answer.ts";
import { type AbortableRequest, universalRequest } from "../http/universal-request.ts";
import { type Admission, isBounded, readMaxBytesOf } from "../limits/admission.ts";
import type { CallLimits } from "../limits/call-limits.ts";
import { limitDeadlineHeader } from "../limits/deadline.ts";
import { type Peer, peerOf, sourceOf } from "../limits/peer.ts";
import { repairErrors } from "./error-repair.ts";
import { giveUpKey } from "./errors-interceptor.ts";
import { explainedRefusal, grpcNeedsHttp2 } from "./refused-requests.ts";
import { keepSentMessage } from "./sent-message.ts";

/** What answering a call depends on. */
export interface AnswerCallDependencies {
  admission: Admission;
  callers: CallerAccounts;
  /** Identifies the caller. Rejects to refuse the call. */
  identify(call: SteppedCall): Promise<void>;
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
 * Answers one call with its handler of the RPC library. Admits it, limits its deadline and body, replaces the library's errors by those of the catalogue,
 * and records the call when its connection or stream is done with it.
 */
export function answerCall(
  { admission, callers, identify, limits, logger: parentLogger, recordCall }: AnswerCallDependencies,
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
    const error = malformedMessage("The request's target is no URL, or its query is not UTF-8 with percent-encoding.", cause);
    const refusal = errorAnswer(protocol, wireError(error, undefined), { contentType });
    const peer = peerOfRequest(request);
    const source = admission.accounts.of(sourceOf(peer, request.headers));
    answerInTurn(admission, source, response, () => sendError(refusal, request, response, logger));
    return;
  }
  values.set(giveUpKey, () => giveUp(response));
  const streaming = method.methodKind !== "unary";
  const call = arrivedCall({ admission, callers, limits }, handler, request, requestId, universal.request.header, values);
  const { ticket } = call;
  const readMaxBytes = readMaxBytesOf(method.parent, call.method, limits);
  const hasManyRequests = method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming";
  const bounded = boundedBody(request, response, {
    maxBytes: hasManyRequests ? undefined : bodyMaxBytes(protocol, readMaxBytes),
    limitBytes: readMaxBytes,
    timeoutMs: call.timeoutMs,
    readAlready: begun,
  });
  const body = mayNeedProof(method)
    ? keepSentMessage(bounded, values, { protocol, encoding: request.headers["content-encoding"], limits })
    : bounded;

  function repair(error: ConnectError): ConnectError {
    const reason = reasonOf(error);
    if (reason !== undefined) {
      call.outcome ??= { code: codeToString(error.code), reason };
      return error;
    }
    const repaired = fromAdapterError(error, { readMaxBytes, timeoutMs: call.timeoutMs });
    if (repaired.reason === "INTERNAL") logger.error({ method: call.method, said: error.rawMessage }, "defect");
    return wireError(repaired, call);
  }

  let completed = false;
  let closed = false;
  let answerBody: AsyncIterator<Uint8Array> | undefined;
  let cancelRefusal: CancelTurn | undefined;
  response.once("close", () => {
    closed = true;
    // If the client has gone, the answer's iterator waits for room for ever. Only this runs the handler's `finally`.
    answerBody?.return?.().catch(() => {});
    if (!completed) {
      universal.abort();
      call.outcome ??= { code: codeToString(Code.Canceled), reason: "CANCELED" };
    }
    ticket.leave();
    // Of a stream whose caller has gone before its first answer, nobody reads the answers, which would end its turn.
    if (streaming) ticket.pause();
    cancelRefusal?.();
    recordCall(call, values, startedMs);
  });

  async function identifyInTime(): Promise<void> {
    const { timeoutMs = 0 } = call;
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      await untilAborted(signal, identify({ service: method.parent, contextValues: values }));
    } catch (thrown) {
      throw toWireError(signal.aborted ? deadlineExceeded(timeoutMs) : thrown, { logger, readMaxBytes, call, timeoutMs });
    }
  }

  async function answer(): Promise<UniversalServerResponse> {
    if (protocol === "grpc" && request.httpVersionMajor < 2) return grpcNeedsHttp2(call);
    try {
      // The library parses a unary message before its interceptors identify the caller. Strangers must not make it do so.
      if (!streaming) await identifyInTime();
      const answered = await handler({ ...universal.request, body });
      if (answered.body === undefined) return explainedRefusal(answered, handler, request, call);
      return await repairErrors(protocol, answered, repair);
    } catch (thrown) {
      return errorAnswer(protocol, repair(ConnectError.from(thrown, Code.Internal)), { contentType });
    }
  }

  /** Sends the whole answer: of a call that was refused, when it is its turn. */
  function tell(answerNow: () => void): void {
    completed = true;
    // A client that does not read its answer keeps no share by it.
    ticket.leave();
    if (call.outcome === undefined) answerNow();
    else cancelRefusal = ticket.refuse(call.outcome.reason, answerNow, () => giveUp(response));
  }

  async function send(): Promise<void> {
    const answered = await answer();
    if (closed) return;
    // The client was never asked for its body, and the connection would wait for it.
    if (expectsContinue(request) && !request.readableDidRead && !("stream" in request)) response.setHeader("connection", "close");
    // The answer to a unary call is one message, which is written at once.
    if (!streaming || answered.header?.has("content-length") === true) {
      const whole = await collectAnswer(answered);
      if (!closed) tell(() => sendWhole(whole, request, response));
      return;
    }
    const chunks = answered.body?.[Symbol.asyncIterator]();
    answerBody = chunks;
    const marked = completing(chunks, () => {
      completed = true;
    });
    sendStream({ ...answered, body: marked }, request, response, logger);
  }

  try {
    ticket.enter();
  } catch (thrown) {
    const refusal = errorAnswer(protocol, toWireError(thrown, { logger, readMaxBytes: limits.readMaxBytes, call }), { contentType });
    tell(() => sendError(refusal, request, response, logger));
    return;
  }
  send().catch((error: unknown) => abandon(response, logger, error));
}

/** Returns the call of a request whose headers have arrived, and puts it into the values. */
function arrivedCall(
  { admission, callers, limits }: Pick<AnswerCallDependencies, "admission" | "callers" | "limits">,
  { method }: UniversalHandler,
  request: NodeServerRequest,
  requestId: string,
  header: Headers,
  values: ContextValues,
): Call & { readonly ticket: Ticket } {
  const protocol = wireProtocolOf(request.headers["content-type"]);
  const streaming = method.methodKind !== "unary";
  const peer = peerOfRequest(request);
  const source = sourceOf(peer, request.headers);
  const { authorization, origin } = request.headers;
  const account = callers.recall(authorization, values);
  const isHealthCheck = !streaming && !isBounded(method.parent);
  const call = {
    requestId,
    method: `${method.parent.typeName}/${method.name}`,
    protocol,
    timeoutMs: limitDeadlineHeader(header, protocol, { ...limits, streaming }),
    authorization,
    origin,
    proof: proofFrom(request.headers),
    traceparent: traceparentFrom(request.headers),
    source,
    ticket: isHealthCheck ? admission.arriveHealthCheck(peer) : admission.arrive(streaming ? "stream" : "unary", { peer, source, account }),
    outcome: undefined,
    span: undefined,
  };
  values.set(callKey, call);
  return call;
}

function peerOfRequest(request: NodeServerRequest): Peer {
  return peerOf("stream" in request ? request.stream.session : request.socket);
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
