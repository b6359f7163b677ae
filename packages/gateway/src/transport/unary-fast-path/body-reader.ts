import type { CallPlan } from "./call-plan.ts";
import type { DeadlineWatch } from "./deadline-watch.ts";
import type { FastCall } from "./fast-call.ts";
import type { NodeExchange } from "./node-exchange.ts";
import { envelopeHeaderBytes, isPlainEnvelope } from "./plain-form.ts";

/** What was read of a request that is not plain after all. */
export interface ReadSoFar {
  chunks: readonly Buffer[];
  /** Whether that is the whole body. */
  isWhole: boolean;
}

/** Options of {@link BodyReader}. */
export interface BodyReaderInit {
  call: FastCall;
  plan: CallPlan;
  exchange: NodeExchange;
  /** Called once if the body is not plain after all, with everything read. The request is paused then. */
  handOver(read: ReadSoFar): void;
}

/** Reads the body of a plain call from its stream, runs the call, and closes it when its answer has been sent. */
export class BodyReader {
  /**
   * Undefined when there is nothing more to do. Node keeps HTTP/2 streams and their listeners long after their end, and what they refer to
   * would be most of the garbage collector's work.
   */
  #init: BodyReaderInit | undefined;
  /** The body so far, if it came in one chunk. */
  #only: Buffer | undefined = undefined;
  /** The body so far, if it came in several chunks. */
  #chunks: Buffer[] | undefined = undefined;
  #readBytes = 0;

  constructor(init: BodyReaderInit, watch: DeadlineWatch) {
    const { source, sink } = init.exchange;
    this.#init = init;
    sink.on("close", this.#onClose);
    // The body of a refused call is not read. Its answer may come later.
    if (!init.call.admit()) return;
    source.on("data", this.#onData);
    source.on("end", this.#onEnd);
    watch.add(this);
  }

  /** Starts the timer of the deadline, unless the call is answered or was given away. */
  startDeadline(): void {
    const call = this.#init?.call;
    if (call?.isAnswered === false) call.startDeadline();
  }

  #stopReading({ source }: NodeExchange): void {
    source.off("data", this.#onData);
    source.off("end", this.#onEnd);
  }

  #giveAway({ call, exchange, handOver }: BodyReaderInit): void {
    const { source, sink } = exchange;
    this.#init = undefined;
    this.#stopReading(exchange);
    call.giveAway();
    sink.off("close", this.#onClose);
    source.pause();
    handOver({ chunks: this.#chunks ?? (this.#only === undefined ? [] : [this.#only]), isWhole: source.readableEnded });
  }

  #onData = (chunk: Buffer): void => {
    const init = this.#init;
    if (init === undefined) return;
    // It was answered at its deadline. The rest of the body is discarded.
    if (init.call.isAnswered) {
      this.#stopReading(init.exchange);
      return;
    }
    const { readMaxBytes, form } = init.plan;
    const { protocol } = form;
    const hadHeader = this.#readBytes >= envelopeHeaderBytes;
    this.#keep(chunk);
    if (this.#readBytes > init.call.takenMaxBytes) {
      this.#giveAway(init);
    } else if (protocol !== "connect" && !hadHeader && this.#readBytes >= envelopeHeaderBytes) {
      // A message that is announced as too long is refused before it is sent.
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
    // The body of a stream that was reset ends too.
    if (init === undefined || init.call.isAnswered || init.exchange.source.closed) return;
    if (!init.call.take(this.#bodySoFar())) this.#giveAway(init);
    // A refusal may be told later, and needs no body.
    this.#only = undefined;
    this.#chunks = undefined;
  };

  #onClose = (): void => {
    const init = this.#init;
    if (init === undefined) return;
    this.#init = undefined;
    this.#only = undefined;
    this.#chunks = undefined;
    if (!init.exchange.source.readableEnded) this.#stopReading(init.exchange);
    init.call.close();
  };
}
