import { create, type DescMessage, type Message } from "@bufbuild/protobuf";
import { Code, ConnectError, type ContextValues } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import { PetakError, validateMessage } from "@petak/protocol";
import type { Logger } from "../../observability/logger.ts";
import type { SpanIds } from "../../observability/tracing.ts";
import { type Call, callKey, type Outcome } from "../call/call.ts";
import type { RecordCall } from "../call/call-record.ts";
import type { ValidatedCall } from "../call/call-step.ts";
import type { CancelTurn, Ticket } from "../call/ticket.ts";
import type { WireProtocol } from "../call/wire-protocol.ts";
import { deadlineExceeded } from "../errors/adapter-error.ts";
import { interruption, toWireError, wireError } from "../errors/wire-error.ts";
import { answerHeadersOf, proofFrom, traceparentFrom } from "../http/common-headers.ts";
import { wholeError } from "../http/error-answer.ts";
import type { RequestHead } from "../http/node-http.ts";
import { bodyMaxBytes } from "../http/request-body.ts";
import type { CallLimits } from "../limits/call-limits.ts";
import { type Peer, sourceOf } from "../limits/peer.ts";
import type { CallSequence } from "../stock-adapter/stock-adapter.ts";
import type { CallPlan } from "./call-plan.ts";
import { type EncodedAnswer, encodeAnswer } from "./encode-answer.ts";
import { FastContextValues, FastHandlerContext } from "./handler-context.ts";
import type { AnswerWriter } from "./node-exchange.ts";
import { messageBytesOf, parseMessage } from "./plain-form.ts";

/** What all plain calls depend on. */
export interface FastCallDependencies extends CallSequence {
  limits: CallLimits;
  logger: Logger;
  recordCall: RecordCall;
}

/**
 * The longest body that is collected and parsed before its caller is known, in bytes: the searches of pages are shorter. To parse a message takes up to 2 µs
 * for each byte, and one that never ends would keep its memory until its deadline; the stock adapter identifies callers first.
 */
const strangerMaxBytes = 2048;

/** Options of {@link FastCall}. */
export interface FastCallInit {
  plan: CallPlan;
  head: RequestHead;
  writer: AnswerWriter;
  requestId: string;
  /** The value of `performance.now()` when its head arrived. */
  startedMs: number;
  peer: Peer;
}

/**
 * One plain call, from its head to the end of its answer. Does the same as the stock adapter, in the same order: admission, errors, deadline,
 * the steps, the caller's share, validation, the last check. Awaits nothing that is available at once.
 *
 * Its owner calls {@link admit} with the head, {@link take} with the complete body, and {@link close} when the answer has been sent or can no
 * longer be sent.
 */
export class FastCall implements Call {
  readonly requestId: string;
  readonly method: string;
  readonly protocol: WireProtocol;
  readonly timeoutMs: number;
  readonly authorization: string | undefined;
  readonly origin: string | undefined;
  outcome: Outcome | undefined = undefined;
  span: SpanIds | null | undefined = undefined;
  readonly #init: FastCallInit;
  readonly #dependencies: FastCallDependencies;
  readonly #values: ContextValues;
  #context: FastHandlerContext | undefined = undefined;
  #timer: NodeJS.Timeout | undefined = undefined;
  #isAnswered = false;
  #ticket: Ticket | undefined = undefined;
  #isRecalled = false;
  #refusal: CancelTurn | undefined = undefined;
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

  get proof(): string | undefined {
    return proofFrom(this.#init.head.headers);
  }

  get traceparent(): string | undefined {
    return traceparentFrom(this.#init.head.headers);
  }

  /** Whether the call has an answer or can no longer get one, or is refused and waits to be told. */
  get isAnswered(): boolean {
    return this.#isAnswered || this.#refusal !== undefined;
  }

  get ticket(): Ticket | undefined {
    return this.#ticket;
  }

  get source(): string {
    const { peer, head } = this.#init;
    return sourceOf(peer, head.headers);
  }

  /** The longest body that the call takes, in bytes. A longer one is the stock adapter's. Known once the call is admitted. */
  get takenMaxBytes(): number {
    const { unary, form, readMaxBytes } = this.#init.plan;
    return unary.isBounded && !this.#isRecalled ? strangerMaxBytes : bodyMaxBytes(form.protocol, readMaxBytes);
  }

  /** Admits the call. Returns false if it is refused: then it answers by itself and must not get its body. */
  admit(): boolean {
    const { plan, peer } = this.#init;
    const { admission, callers } = this.#dependencies;
    if (plan.unary.isBounded) {
      const account = callers.recall(this.authorization, this.#values);
      this.#isRecalled = account !== undefined;
      // Whoever is known does not count for an address.
      const source = account ?? this.source;
      this.#ticket = admission.arrive("unary", { peer, source, account });
    } else {
      this.#ticket = admission.arriveHealthCheck(peer);
    }
    try {
      this.#ticket.enter();
      return true;
    } catch (thrown) {
      this.#fail(thrown);
      return false;
    }
  }

  /**
   * Runs the call with its body. Returns false, having done nothing, if that is not one message of the method's type, or is not to be parsed before its caller
   * is known.
   */
  take(body: Buffer): boolean {
    const { plan, head, startedMs } = this.#init;
    const { unary, form } = plan;
    const bytes = body.byteLength > this.takenMaxBytes ? undefined : messageBytesOf(form, body, plan.readMaxBytes);
    const message = bytes && parseMessage(unary.method, form, bytes);
    if (message === undefined) {
      this.giveAway();
      return false;
    }
    const context = new FastHandlerContext({
      method: unary.method,
      protocolName: form.protocol,
      head,
      deadlineMs: startedMs + plan.timeoutMs,
      values: this.#values,
    });
    this.#context = context;
    try {
      const call = { service: unary.method.parent, method: unary.method, contextValues: this.#values, message, messageBytes: bytes };
      const answer = this.#pass(0, call, context);
      if (answer instanceof Promise) {
        this.startDeadline();
        answer.then(
          (later) => {
            this.#ticket?.pause();
            this.#succeed(context, later);
          },
          (thrown: unknown) => {
            this.#ticket?.pause();
            this.#fail(thrown);
          },
        );
      } else {
        this.#ticket?.pause();
        this.#succeed(context, answer);
      }
    } catch (thrown) {
      this.#ticket?.pause();
      this.#fail(thrown);
    }
    return true;
  }

  /** Starts the timer of the deadline, unless it runs. */
  startDeadline(): void {
    if (this.isAnswered) return;
    const { plan, startedMs } = this.#init;
    const leftMs = Math.ceil(plan.timeoutMs - (performance.now() - startedMs));
    // The synchronous part of the handler may have taken longer than the deadline.
    this.#timer ??= setTimeout(() => this.#onDeadline(), Math.max(leftMs, 0));
  }

  /** Ends the call without an answer, because the stock adapter answers it. */
  giveAway(): void {
    clearTimeout(this.#timer);
    this.#ticket?.leave();
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
  #pass(from: number, call: ValidatedCall, context: FastHandlerContext): unknown {
    const { steps } = this.#dependencies;
    for (let index = from; index < steps.length; index += 1) {
      this.#passed = index;
      const waiting = steps[index]?.before?.(call);
      if (waiting !== undefined) return waiting.then(() => this.#pass(index + 1, call, context));
    }
    this.#passed = steps.length;
    const waiting = this.#takeShare();
    return waiting === undefined ? this.#handle(call, context) : waiting.then(() => this.#handle(call, context));
  }

  /** Counts the call for its caller, who is known now. Returns a promise if it has to wait for others of the same caller. */
  #takeShare(): Promise<void> | undefined {
    const ticket = this.#ticket;
    if (ticket === undefined) return undefined;
    const account = this.#dependencies.callers.accountOf(this.#values);
    if (account !== undefined) ticket.identify(account);
    return ticket.start();
  }

  #handle(call: ValidatedCall, context: FastHandlerContext): unknown {
    const { message, method } = call;
    const { implement } = this.#init.plan.unary;
    validateMessage(method.input, message);
    const checking = this.#dependencies.checkValidated?.(call);
    return checking === undefined ? implement(message, context) : checking.then(() => implement(message, context));
  }

  #onDeadline(): void {
    const reason = new ConnectError("the operation timed out", Code.DeadlineExceeded);
    if (this.#context === undefined) {
      this.#tell(wireError(deadlineExceeded(this.timeoutMs), this));
    } else {
      this.#tell(wireError(interruption(reason, this.timeoutMs), this));
      this.#context.interrupt(reason);
    }
  }

  /** Marks the call as answered. What its handler does from now on has no effect. */
  #conclude(): void {
    this.#isAnswered = true;
    clearTimeout(this.#timer);
    this.#ticket?.leave();
    this.#refusal?.();
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
    if (this.isAnswered) return;
    this.#tell(toWireError(error, { logger, readMaxBytes: limits.readMaxBytes, call: this, timeoutMs: this.timeoutMs }));
  }

  /** Tells the caller an error, when it is its turn. */
  #tell(error: ConnectError): void {
    clearTimeout(this.#timer);
    this.#refusal = this.#ticket?.refuse(
      this.outcome?.reason,
      () => this.#refuse(error),
      () => this.#init.writer.giveUp(),
    );
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
