import { create, type DescMessage, type Message } from "@bufbuild/protobuf";
import { Code, ConnectError, type ContextValues } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import { PetakError, validateMessage } from "@petak/protocol";
import type { Logger } from "../../observability/logger.ts";
import { type Call, callKey, type Outcome } from "../call/call.ts";
import type { RecordCall } from "../call/call-record.ts";
import type { WireProtocol } from "../call/wire-protocol.ts";
import { deadlineExceeded } from "../errors/adapter-error.ts";
import { interruption, toWireError, wireError } from "../errors/wire-error.ts";
import { answerHeadersOf } from "../http/common-headers.ts";
import { wholeError } from "../http/error-answer.ts";
import type { RequestHead } from "../http/request-head.ts";
import type { CallLimits } from "../limits/call-limits.ts";
import type { CallSequence } from "../stock-adapter/interceptors.ts";
import type { CallPlan } from "./call-plan.ts";
import { FastContextValues } from "./context-values.ts";
import { type EncodedAnswer, encodeAnswer } from "./encode-answer.ts";
import { FastHandlerContext } from "./handler-context.ts";
import type { AnswerWriter } from "./node-exchange.ts";
import { parseMessage } from "./parse-message.ts";

/** What all plain calls share. */
export interface FastCallDependencies extends CallSequence {
  limits: CallLimits;
  logger: Logger;
  recordCall: RecordCall;
}

/** One plain call. */
export interface FastCallInit {
  plan: CallPlan;
  head: RequestHead;
  transport: AnswerWriter;
  requestId: string;
  /** What `performance.now()` said when its head came. */
  startedMs: number;
}

/**
 * One plain call from its head to the end of its answer. What the interceptors do in the stock adapter is done here by the same parts in
 * the same order, and without waiting for what is there at once: errors, concurrency, deadline, the steps, validation.
 *
 * Whoever makes one calls {@link take} when the body is there, and {@link close} when the answer has gone or can go no more.
 */
export class FastCall implements Call {
  readonly requestId: string;
  readonly method: string;
  readonly protocol: WireProtocol;
  readonly timeoutMs: number;
  readonly authorization: string | undefined;
  readonly origin: string | undefined;
  outcome: Outcome | undefined = undefined;
  readonly #init: FastCallInit;
  readonly #surroundings: FastCallDependencies;
  readonly #values: ContextValues;
  #exchange: FastHandlerContext | undefined = undefined;
  #timer: NodeJS.Timeout | undefined = undefined;
  #isAnswered = false;
  #isInHand = false;
  /** How many of the steps were passed. Their errors are translated by those before them. */
  #passed = 0;

  constructor(init: FastCallInit, surroundings: FastCallDependencies) {
    const { plan, head } = init;
    this.requestId = init.requestId;
    this.method = plan.unary.name;
    this.protocol = plan.form.protocol;
    this.timeoutMs = plan.timeoutMs;
    this.authorization = head.headers.authorization;
    this.origin = head.headers.origin;
    this.#init = init;
    this.#surroundings = surroundings;
    this.#values = new FastContextValues().set(callKey, this);
  }

  /** Whether the call has its answer, or can have none any more. */
  get isAnswered(): boolean {
    return this.#isAnswered;
  }

  /** Runs the call with its body. False where that is not one message of the method's type: then nothing has happened. */
  take(body: Buffer): boolean {
    const { plan, head, startedMs } = this.#init;
    const { unary, form } = plan;
    const message = parseMessage(unary.method, form, body, this.#surroundings.limits.readMaxBytes);
    if (message === undefined) return false;
    const exchange = new FastHandlerContext({
      method: unary.method,
      protocolName: form.protocol,
      head,
      deadlineMs: startedMs + plan.timeoutMs,
      values: this.#values,
    });
    this.#exchange = exchange;
    try {
      if (unary.isBounded) {
        this.#surroundings.admission.enter("unary");
        this.#isInHand = true;
      }
      const answer = this.#pass(0, message, exchange);
      if (answer instanceof Promise) {
        this.startDeadline();
        answer.then(
          (later) => this.#succeed(exchange, later),
          (thrown: unknown) => this.#fail(thrown),
        );
      } else {
        this.#succeed(exchange, answer);
      }
    } catch (thrown) {
      this.#fail(thrown);
    }
    return true;
  }

  /** Begins to watch the deadline, where nobody has. */
  startDeadline(): void {
    const { plan, startedMs } = this.#init;
    const leftMs = Math.ceil(plan.timeoutMs - (performance.now() - startedMs));
    // What was done without waiting may have taken longer than there was.
    this.#timer ??= setTimeout(() => this.#onDeadline(), Math.max(leftMs, 0));
  }

  /** Stops watching the deadline. */
  stopDeadline(): void {
    clearTimeout(this.#timer);
  }

  /** Says that the answer has gone, or can go no more. */
  close(): void {
    if (!this.#isAnswered) {
      this.#conclude();
      this.#exchange?.interrupt(new ConnectError("the caller went away", Code.Canceled));
      this.outcome ??= { code: codeToString(Code.Canceled), reason: "CANCELED" };
    }
    this.#surroundings.recordCall(this, this.#values, this.#init.startedMs);
  }

  /** Goes from a step on to the handler, as far as it goes without waiting. */
  #pass(from: number, message: Message, exchange: FastHandlerContext): unknown {
    const { steps } = this.#surroundings;
    const { method, implement } = this.#init.plan.unary;
    const call = { service: method.parent, contextValues: this.#values };
    for (let index = from; index < steps.length; index += 1) {
      this.#passed = index;
      const waiting = steps[index]?.before?.(call);
      if (waiting !== undefined) return waiting.then(() => this.#pass(index + 1, message, exchange));
    }
    this.#passed = steps.length;
    validateMessage(method.input, message);
    return implement(message, exchange);
  }

  #onDeadline(): void {
    const reason = new ConnectError("the operation timed out", Code.DeadlineExceeded);
    if (this.#exchange === undefined) {
      this.#refuse(wireError(deadlineExceeded(this.timeoutMs), this));
    } else {
      this.#refuse(wireError(interruption(reason, this.timeoutMs), this));
      this.#exchange.interrupt(reason);
    }
  }

  /** Decides that the call is answered, or can be no more. What its handler does from now on has no effect. */
  #conclude(): void {
    this.#isAnswered = true;
    clearTimeout(this.#timer);
    if (this.#isInHand) this.#surroundings.admission.leave("unary");
    this.#isInHand = false;
  }

  #succeed(exchange: FastHandlerContext, answer: unknown): void {
    if (this.#isAnswered) return;
    const { plan } = this.#init;
    const { unary, form, acceptsGzip } = plan;
    const { writeMaxBytes } = this.#surroundings.limits;
    let encoded: EncodedAnswer | Promise<EncodedAnswer>;
    try {
      const message = create<DescMessage>(unary.method.output, answer as Message);
      encoded = encodeAnswer(form, exchange, message, { writeMaxBytes, acceptsGzip, encoder: unary.encoder });
    } catch (cause) {
      this.#failToEncode(cause);
      return;
    }
    if (encoded instanceof Promise)
      encoded.then(
        (later) => this.#send(later),
        (cause: unknown) => this.#failToEncode(cause),
      );
    else this.#send(encoded);
  }

  #failToEncode(cause: unknown): void {
    this.#surroundings.logger.error({ err: cause, request_id: this.requestId, method: this.method }, "defect");
    this.#fail(new PetakError("INTERNAL", "The response could not be encoded.", { cause }));
  }

  #send(answer: EncodedAnswer): void {
    if (this.#isAnswered) return;
    this.#conclude();
    try {
      Object.assign(answer.header, answerHeadersOf(this.requestId, this.origin));
      this.#init.transport.send(answer);
    } catch (error) {
      this.#abandon(error);
    }
  }

  #fail(thrown: unknown): void {
    const { steps, logger, limits } = this.#surroundings;
    let error = thrown;
    // What comes after the deadline tells the steps something all the same.
    for (let index = this.#passed - 1; index >= 0; index -= 1) error = steps[index]?.translate?.(error) ?? error;
    if (this.#isAnswered) return;
    this.#refuse(toWireError(error, { logger, readMaxBytes: limits.readMaxBytes, call: this, timeoutMs: this.timeoutMs }));
  }

  #refuse(error: ConnectError): void {
    if (this.#isAnswered) return;
    this.#conclude();
    const { form, acceptsGzip } = this.#init.plan;
    try {
      const header: Record<string, string> = form.protocol !== "connect" && acceptsGzip ? { [form.encodingHeader]: "gzip" } : {};
      const answer = wholeError(form.protocol, error, { contentType: form.contentType, header });
      for (const [name, value] of Object.entries(answerHeadersOf(this.requestId, this.origin))) answer.header.set(name, value);
      this.#init.transport.refuse(answer);
    } catch (failure) {
      this.#abandon(failure);
    }
  }

  #abandon(error: unknown): void {
    this.#surroundings.logger.debug({ err: error }, "answer not delivered");
    this.#init.transport.abandon();
  }
}
