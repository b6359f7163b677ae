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
import type { RequestHead } from "../http/node-http.ts";
import type { CallLimits } from "../limits/call-limits.ts";
import type { CallSequence } from "../stock-adapter/stock-adapter.ts";
import type { CallPlan } from "./call-plan.ts";
import { type EncodedAnswer, encodeAnswer } from "./encode-answer.ts";
import { FastContextValues, FastHandlerContext } from "./handler-context.ts";
import type { AnswerWriter } from "./node-exchange.ts";
import { parseMessage } from "./plain-form.ts";

/** What all plain calls depend on. */
export interface FastCallDependencies extends CallSequence {
  limits: CallLimits;
  logger: Logger;
  recordCall: RecordCall;
}

/** Options of {@link FastCall}. */
export interface FastCallInit {
  plan: CallPlan;
  head: RequestHead;
  writer: AnswerWriter;
  requestId: string;
  /** The value of `performance.now()` when its head arrived. */
  startedMs: number;
}

/**
 * One plain call, from its head to the end of its answer. Does the same as the stock adapter's interceptors, in the same order: errors,
 * concurrency, deadline, the steps, validation. Awaits nothing that is available at once.
 *
 * Its owner calls {@link take} with the complete body, and {@link close} when the answer has been sent or can no longer be sent.
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
  readonly #dependencies: FastCallDependencies;
  readonly #values: ContextValues;
  #context: FastHandlerContext | undefined = undefined;
  #timer: NodeJS.Timeout | undefined = undefined;
  #isAnswered = false;
  #isAdmitted = false;
  /** The number of steps passed. These translate a later error. */
  #passed = 0;

  constructor(init: FastCallInit, dependencies: FastCallDependencies) {
    const { plan, head } = init;
    this.requestId = init.requestId;
    this.method = plan.unary.name;
    this.protocol = plan.form.protocol;
    this.timeoutMs = plan.timeoutMs;
    this.authorization = head.headers.authorization;
    this.origin = head.headers.origin;
    this.#init = init;
    this.#dependencies = dependencies;
    this.#values = new FastContextValues().set(callKey, this);
  }

  /** Whether the call has an answer or can no longer get one. */
  get isAnswered(): boolean {
    return this.#isAnswered;
  }

  /** Runs the call with its body. Returns false, having done nothing, if that is not one message of the method's type. */
  take(body: Buffer): boolean {
    const { plan, head, startedMs } = this.#init;
    const { unary, form } = plan;
    const message = parseMessage(unary.method, form, body, this.#dependencies.limits.readMaxBytes);
    if (message === undefined) return false;
    const context = new FastHandlerContext({
      method: unary.method,
      protocolName: form.protocol,
      head,
      deadlineMs: startedMs + plan.timeoutMs,
      values: this.#values,
    });
    this.#context = context;
    try {
      if (unary.isBounded) {
        this.#dependencies.admission.enter("unary");
        this.#isAdmitted = true;
      }
      const answer = this.#pass(0, message, context);
      if (answer instanceof Promise) {
        this.startDeadline();
        answer.then(
          (later) => this.#succeed(context, later),
          (thrown: unknown) => this.#fail(thrown),
        );
      } else {
        this.#succeed(context, answer);
      }
    } catch (thrown) {
      this.#fail(thrown);
    }
    return true;
  }

  /** Starts the timer of the deadline, unless it runs. */
  startDeadline(): void {
    const { plan, startedMs } = this.#init;
    const leftMs = Math.ceil(plan.timeoutMs - (performance.now() - startedMs));
    // The synchronous part of the handler may have taken longer than the deadline.
    this.#timer ??= setTimeout(() => this.#onDeadline(), Math.max(leftMs, 0));
  }

  /** Stops the timer of the deadline. */
  stopDeadline(): void {
    clearTimeout(this.#timer);
  }

  /** Ends the call: its answer has been sent or can no longer be sent. Records it. */
  close(): void {
    if (!this.#isAnswered) {
      this.#conclude();
      this.#context?.interrupt(new ConnectError("the caller went away", Code.Canceled));
      this.outcome ??= { code: codeToString(Code.Canceled), reason: "CANCELED" };
    }
    this.#dependencies.recordCall(this, this.#values, this.#init.startedMs);
  }

  /** Runs the steps from the given one on, the validation and the handler. Synchronous unless a step waits. */
  #pass(from: number, message: Message, context: FastHandlerContext): unknown {
    const { steps } = this.#dependencies;
    const { method, implement } = this.#init.plan.unary;
    const call = { service: method.parent, contextValues: this.#values };
    for (let index = from; index < steps.length; index += 1) {
      this.#passed = index;
      const waiting = steps[index]?.before?.(call);
      if (waiting !== undefined) return waiting.then(() => this.#pass(index + 1, message, context));
    }
    this.#passed = steps.length;
    validateMessage(method.input, message);
    return implement(message, context);
  }

  #onDeadline(): void {
    const reason = new ConnectError("the operation timed out", Code.DeadlineExceeded);
    if (this.#context === undefined) {
      this.#refuse(wireError(deadlineExceeded(this.timeoutMs), this));
    } else {
      this.#refuse(wireError(interruption(reason, this.timeoutMs), this));
      this.#context.interrupt(reason);
    }
  }

  /** Marks the call as answered. What its handler does from now on has no effect. */
  #conclude(): void {
    this.#isAnswered = true;
    clearTimeout(this.#timer);
    if (this.#isAdmitted) this.#dependencies.admission.leave("unary");
    this.#isAdmitted = false;
  }

  #succeed(context: FastHandlerContext, answer: unknown): void {
    if (this.#isAnswered) return;
    const { plan } = this.#init;
    const { unary, form, acceptsGzip } = plan;
    const { writeMaxBytes } = this.#dependencies.limits;
    let encoded: EncodedAnswer | Promise<EncodedAnswer>;
    try {
      const message = create<DescMessage>(unary.method.output, answer as Message);
      encoded = encodeAnswer(form, context, message, { writeMaxBytes, acceptsGzip, encoder: unary.encoder });
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
    this.#dependencies.logger.error({ err: cause, request_id: this.requestId, method: this.method }, "defect");
    this.#fail(new PetakError("INTERNAL", "The response could not be encoded.", { cause }));
  }

  #send(answer: EncodedAnswer): void {
    if (this.#isAnswered) return;
    this.#conclude();
    try {
      Object.assign(answer.header, answerHeadersOf(this.requestId, this.origin));
      this.#init.writer.send(answer);
    } catch (error) {
      this.#abandon(error);
    }
  }

  #fail(thrown: unknown): void {
    const { steps, logger, limits } = this.#dependencies;
    let error = thrown;
    // The steps see errors after the deadline too.
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
      this.#init.writer.refuse(answer);
    } catch (failure) {
      this.#abandon(failure);
    }
  }

  #abandon(error: unknown): void {
    this.#dependencies.logger.debug({ err: error }, "answer not delivered");
    this.#init.writer.abandon();
  }
}
