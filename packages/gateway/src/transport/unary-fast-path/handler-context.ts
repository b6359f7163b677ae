import type { DescMethodUnary, DescService } from "@bufbuild/protobuf";
import type { ContextKey, ContextValues, HandlerContext } from "@connectrpc/connect";
import type { RequestHead } from "../http/node-http.ts";
import { fixedOrigin, headersOf } from "../http/universal-request.ts";

/** Options of {@link FastHandlerContext}. */
export interface FastHandlerContextInit {
  method: DescMethodUnary;
  protocolName: string;
  head: RequestHead;
  /** The deadline, on the clock of `performance.now()`. */
  deadlineMs: number;
  values: ContextValues;
}

/**
 * The context of a handler that the unary fast path calls. What most handlers do not need (`Headers` objects, the signal) is created when it is
 * first asked for.
 */
export class FastHandlerContext implements HandlerContext {
  readonly requestMethod = "POST";
  readonly #init: FastHandlerContextInit;
  #requestHeader: Headers | undefined;
  #responseHeader: Headers | undefined;
  #responseTrailer: Headers | undefined;
  #controller: AbortController | undefined;
  #interruption: { reason: unknown } | undefined;

  constructor(init: FastHandlerContextInit) {
    this.#init = init;
  }

  get method(): DescMethodUnary {
    return this.#init.method;
  }

  get service(): DescService {
    return this.#init.method.parent;
  }

  get protocolName(): string {
    return this.#init.protocolName;
  }

  get values(): ContextValues {
    return this.#init.values;
  }

  get url(): string {
    return `${fixedOrigin}${this.#init.head.path}`;
  }

  get requestHeader(): Headers {
    this.#requestHeader ??= headersOf(this.#init.head);
    return this.#requestHeader;
  }

  /** Headers to be sent with the answer. */
  get responseHeader(): Headers {
    this.#responseHeader ??= new Headers();
    return this.#responseHeader;
  }

  /** Trailers to be sent with the answer. */
  get responseTrailer(): Headers {
    this.#responseTrailer ??= new Headers();
    return this.#responseTrailer;
  }

  /** The headers that the handler asked for. Undefined if it did not. */
  get ownHeaders(): Record<string, string> | undefined {
    return this.#responseHeader && Object.fromEntries(this.#responseHeader);
  }

  /** The trailers that the handler asked for. Undefined if it did not. */
  get ownTrailers(): Record<string, string> | undefined {
    return this.#responseTrailer && Object.fromEntries(this.#responseTrailer);
  }

  /** Aborts if the call ends before its answer: at its deadline, or because its caller has gone. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#interruption !== undefined) this.#controller.abort(this.#interruption.reason);
    }
    return this.#controller.signal;
  }

  /** Aborts the signal. */
  interrupt(reason: unknown): void {
    this.#interruption = { reason };
    this.#controller?.abort(reason);
  }

  /** The time until the deadline, in ms. */
  get timeoutMs(): () => number {
    return () => this.#init.deadlineMs - performance.now();
  }
}

/** Does what the library's `createContextValues` does, without creating functions for each call. */
export class FastContextValues implements ContextValues {
  [id: symbol]: unknown;

  get<T>({ id, defaultValue }: ContextKey<T>): T {
    return id in this ? (this[id] as T) : defaultValue;
  }

  set<T>({ id }: ContextKey<T>, value: T): this {
    (this as { [id: symbol]: unknown })[id] = value;
    return this;
  }

  delete({ id }: ContextKey<unknown>): this {
    delete (this as { [id: symbol]: unknown })[id];
    return this;
  }
}
