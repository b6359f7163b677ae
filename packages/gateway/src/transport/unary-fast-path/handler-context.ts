import type { DescMethodUnary, DescService } from "@bufbuild/protobuf";
import type { ContextValues, HandlerContext } from "@connectrpc/connect";
import type { RequestHead } from "../http/request-head.ts";
import { fixedOrigin, headersOf } from "../http/universal-request.ts";

/** Facts of a call on the unary fast path. */
export interface FastHandlerContextInit {
  method: DescMethodUnary;
  protocolName: string;
  head: RequestHead;
  /** When the call must be answered, as `performance.now()` counts. */
  deadlineMs: number;
  values: ContextValues;
}

/**
 * A call on the unary fast path, as the handler sees it. What most calls do not need is made when it is asked for: headers as objects, the
 * signal.
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

  /** Headers that the handler wants to send. */
  get responseHeader(): Headers {
    this.#responseHeader ??= new Headers();
    return this.#responseHeader;
  }

  /** Trailers that the handler wants to send. */
  get responseTrailer(): Headers {
    this.#responseTrailer ??= new Headers();
    return this.#responseTrailer;
  }

  /** Headers that the handler has set; undefined for none. */
  get ownHeaders(): Record<string, string> | undefined {
    return this.#responseHeader && Object.fromEntries(this.#responseHeader);
  }

  /** Trailers that the handler has set; undefined for none. */
  get ownTrailers(): Record<string, string> | undefined {
    return this.#responseTrailer && Object.fromEntries(this.#responseTrailer);
  }

  /** Aborts where the call ends before its answer: at its deadline, or because its caller went away. */
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

  /** Time until the deadline, in ms. */
  get timeoutMs(): () => number {
    return () => this.#init.deadlineMs - performance.now();
  }
}
