import { bodyMaxBytes } from "../http/request-body.ts";
import type { CallLimits } from "../limits/call-limits.ts";
import type { CallPlan } from "./call-plan.ts";
import type { DeadlineWatch } from "./deadline-watch.ts";
import type { FastCall } from "./fast-call.ts";
import type { NodeExchange } from "./node-exchange.ts";
import { envelopeHeaderBytes, isPlainEnvelope } from "./plain-form.ts";

/** What was read of a request that turned out to be nothing plain. */
export interface ReadSoFar {
  chunks: readonly Buffer[];
  isWhole: boolean;
}

/** What reading a call needs. */
export interface BodyReaderInit {
  call: FastCall;
  plan: CallPlan;
  transport: NodeExchange;
  limits: CallLimits;
  /** Called, once, where the body turns out to be nothing plain: with all that was read of it, and the request at rest. */
  handOver(read: ReadSoFar): void;
}

/** Reads the body of a plain call from its stream, runs the call, and tells it when its answer has gone. */
export class BodyReader {
  /**
   * Undefined when there is nothing more to do. Node keeps the streams of HTTP/2, and with them their listeners, for long after their
   * end, and what hangs on them costs the collector more than all else.
   */
  #init: BodyReaderInit | undefined;
  /** All that came, where it came at once. */
  #only: Buffer | undefined = undefined;
  /** All that came, where it did not. */
  #chunks: Buffer[] | undefined = undefined;
  #readBytes = 0;

  constructor(init: BodyReaderInit, watch: DeadlineWatch) {
    const { source, sink } = init.transport;
    this.#init = init;
    source.on("data", this.#onData);
    source.on("end", this.#onEnd);
    sink.on("close", this.#onClose);
    watch.add(this);
  }

  /** Begins to watch the deadline, unless there is an answer or another has the call. */
  startDeadline(): void {
    const call = this.#init?.call;
    if (call?.isAnswered === false) call.startDeadline();
  }

  #stopReading({ source }: NodeExchange): void {
    source.off("data", this.#onData);
    source.off("end", this.#onEnd);
  }

  #giveAway({ call, transport, handOver }: BodyReaderInit): void {
    const { source, sink } = transport;
    this.#init = undefined;
    this.#stopReading(transport);
    call.stopDeadline();
    sink.off("close", this.#onClose);
    source.pause();
    handOver({ chunks: this.#chunks ?? (this.#only === undefined ? [] : [this.#only]), isWhole: source.readableEnded });
  }

  #onData = (chunk: Buffer): void => {
    const init = this.#init;
    if (init === undefined) return;
    // After the deadline it has an answer, and what still comes is thrown away.
    if (init.call.isAnswered) {
      this.#stopReading(init.transport);
      return;
    }
    const { readMaxBytes } = init.limits;
    const { protocol } = init.plan.form;
    const isHeadThere = this.#readBytes >= envelopeHeaderBytes;
    this.#keep(chunk);
    if (this.#readBytes > bodyMaxBytes(protocol, readMaxBytes)) {
      this.#giveAway(init);
    } else if (protocol !== "connect" && !isHeadThere && this.#readBytes >= envelopeHeaderBytes) {
      // What announces too much is refused before it is sent.
      if (!isPlainEnvelope(this.#bodySoFar(), readMaxBytes)) this.#giveAway(init);
    }
  };

  #keep(chunk: Buffer): void {
    this.#readBytes += chunk.byteLength;
    if (this.#chunks !== undefined) this.#chunks.push(chunk);
    else if (this.#only === undefined) this.#only = chunk;
    else this.#chunks = [this.#only, chunk];
  }

  #bodySoFar(): Buffer {
    return this.#chunks === undefined ? (this.#only ?? Buffer.alloc(0)) : Buffer.concat(this.#chunks);
  }

  #onEnd = (): void => {
    const init = this.#init;
    if (init !== undefined && !init.call.isAnswered && !init.call.take(this.#bodySoFar())) this.#giveAway(init);
  };

  #onClose = (): void => {
    const init = this.#init;
    if (init === undefined) return;
    this.#init = undefined;
    this.#only = undefined;
    this.#chunks = undefined;
    if (!init.transport.source.readableEnded) this.#stopReading(init.transport);
    init.call.close();
  };
}
