import { fromBinary, fromJsonString, type Message } from "@bufbuild/protobuf";
import { Code, ConnectError, type ContextValues, createContextValues } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import { PetakError } from "@petak/protocol";
import type { Logger } from "../observability/logger.ts";
import { deadlineExceeded } from "../rpc/adapter-error.ts";
import { type Call, callKey } from "../rpc/context-keys.ts";
import { Interruption } from "../rpc/interruption.ts";
import { toWireError, wireError } from "../rpc/wire-error.ts";
import type { BegunCall } from "./adapter-path.ts";
import type { CallLimits } from "./call-limits.ts";
import type { RecordCall } from "./call-record.ts";
import { errorAnswer } from "./error-answer.ts";
import { encodeAnswer, type LeanAnswer } from "./lean-answer.ts";
import { LeanExchange } from "./lean-exchange.ts";
import type { LeanTransport } from "./lean-transport.ts";
import { envelopeHeaderBytes, isPlainEnvelope, messageBytes, type PlainForm } from "./plain-form.ts";
import { bodyMaxBytes } from "./request-body.ts";
import { collectAnswer } from "./send-answer.ts";
import type { UnaryMethod } from "./unary-methods.ts";

/** One plain call. */
export interface LeanCallInit {
  unary: UnaryMethod;
  form: PlainForm;
  timeoutMs: number;
  acceptsGzip: boolean;
  transport: LeanTransport;
  requestId: string;
  /** Headers of the answer, whatever it is. */
  answerHeaders: Record<string, string>;
}

/** What all plain calls share. */
export interface LeanCallSurroundings {
  limits: CallLimits;
  logger: Logger;
  recordCall: RecordCall;
}

const jsonOptions = { ignoreUnknownFields: false };
const byteOrderMark = 0xef;

/**
 * Reads, runs and answers one plain call.
 *
 * @param handOver Called, once, where the body turns out to be nothing plain: with all that was read of it, and the request at rest.
 */
export function runLeanCall(
  init: LeanCallInit,
  { limits, logger, recordCall }: LeanCallSurroundings,
  handOver: (begun: BegunCall) => void,
): void {
  const { unary, form, timeoutMs, acceptsGzip, transport, requestId, answerHeaders } = init;
  const { headers, source, sink } = transport;
  const { protocol } = form;
  const startedMs = performance.now();
  const maxBytes = bodyMaxBytes(protocol, limits.readMaxBytes);
  const interruption = new Interruption();
  const call: Call = {
    requestId,
    method: unary.name,
    protocol,
    timeoutMs,
    authorization: headers.authorization,
    origin: headers.origin,
    interruption,
    outcome: undefined,
  };
  const contextValues: ContextValues = createContextValues().set(callKey, call);
  const chunks: Buffer[] = [];
  let readBytes = 0;
  let isReading = true;
  let isAnswered = false;

  const timer = setTimeout(onDeadline, timeoutMs);
  source.on("data", onData);
  source.on("end", onEnd);
  sink.on("close", onClose);

  function stopReading(): void {
    isReading = false;
    source.off("data", onData);
    source.off("end", onEnd);
  }

  function giveAway(): void {
    stopReading();
    clearTimeout(timer);
    sink.off("close", onClose);
    source.pause();
    handOver({ startedMs, chunks, isWhole: source.readableEnded });
  }

  function onData(chunk: Buffer): void {
    const isHeadThere = readBytes >= envelopeHeaderBytes;
    chunks.push(chunk);
    readBytes += chunk.byteLength;
    if (readBytes > maxBytes) {
      giveAway();
    } else if (protocol !== "connect" && !isHeadThere && readBytes >= envelopeHeaderBytes) {
      // What announces too much is refused before it is sent.
      if (!isPlainEnvelope(bodySoFar(), limits.readMaxBytes)) giveAway();
    }
  }

  function bodySoFar(): Buffer {
    const [only] = chunks;
    return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
  }

  function onEnd(): void {
    const message = parse(unary, form, bodySoFar(), limits.readMaxBytes);
    if (message === undefined) {
      giveAway();
    } else {
      stopReading();
      settle(run(message));
    }
  }

  function onDeadline(): void {
    if (isReading) {
      stopReading();
      settle(refuse(wireError(deadlineExceeded(timeoutMs), call)));
    } else {
      interruption.interrupt(new ConnectError("the operation timed out", Code.DeadlineExceeded));
    }
  }

  function onClose(): void {
    clearTimeout(timer);
    if (!isAnswered) {
      isAnswered = true;
      stopReading();
      interruption.interrupt(new ConnectError("the caller went away", Code.Canceled));
      call.outcome ??= { code: codeToString(Code.Canceled), reason: "CANCELED" };
    }
    recordCall(call, contextValues, startedMs);
  }

  function settle(work: Promise<void>): void {
    work.catch((error: unknown) => {
      logger.debug({ err: error }, "answer not delivered");
      transport.abandon();
    });
  }

  async function run(message: Message): Promise<void> {
    const exchange = new LeanExchange(
      { unary, transport, protocol, deadlineMs: startedMs + timeoutMs, interruption, contextValues },
      message,
    );
    let answer: LeanAnswer;
    try {
      const answered = await unary.invoke(exchange);
      answer = await encoded(exchange, answered);
    } catch (thrown) {
      // The outermost interceptor has made an error of the catalogue of whatever came up.
      return await refuse(toWireError(thrown, { logger, readMaxBytes: limits.readMaxBytes, call, timeoutMs }));
    }
    if (isAnswered) return;
    isAnswered = true;
    clearTimeout(timer);
    transport.send({ ...answer, header: { ...answer.header, ...answerHeaders } });
  }

  async function encoded(exchange: LeanExchange, message: Message): Promise<LeanAnswer> {
    try {
      return await encodeAnswer(form, exchange, message, { writeMaxBytes: limits.writeMaxBytes, acceptsGzip, encoder: unary.encoder });
    } catch (cause) {
      logger.error({ err: cause, request_id: requestId, method: call.method }, "defect");
      throw new PetakError("INTERNAL", "The answer could not be written.", { cause });
    }
  }

  async function refuse(error: ConnectError): Promise<void> {
    if (isAnswered) return;
    isAnswered = true;
    clearTimeout(timer);
    const header: Record<string, string> = protocol !== "connect" && acceptsGzip ? { [form.encodingHeader]: "gzip" } : {};
    const answer = await collectAnswer(errorAnswer(protocol, error, { contentType: form.contentType, header }));
    for (const [name, value] of Object.entries(answerHeaders)) answer.header.set(name, value);
    transport.refuse(answer);
  }
}

/** The message in a body, undefined where there is none of the method's type. */
function parse({ method, decoder }: UnaryMethod, form: PlainForm, body: Buffer, readMaxBytes: number): Message | undefined {
  const bytes = messageBytes(form, body);
  if (bytes === undefined || bytes.byteLength > readMaxBytes) return undefined;
  try {
    if (!form.isJson) return fromBinary(method.input, bytes);
    if (bytes[0] === byteOrderMark) return undefined;
    const text = bytes.toString();
    return decoder?.json(text) ?? fromJsonString(method.input, text, jsonOptions);
  } catch {
    return undefined;
  }
}
