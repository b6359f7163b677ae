import type { DescMethodUnary, DescService, Message } from "@bufbuild/protobuf";
import type { ContextValues, HandlerContext, UnaryRequest } from "@connectrpc/connect";
import type { Interruption } from "../rpc/interruption.ts";
import type { WireProtocol } from "../rpc/wire-protocol.ts";
import type { LeanTransport } from "./lean-transport.ts";
import { fixedOrigin, headersOf } from "./universal-request.ts";

/** Facts of a call on the lean path. */
export interface LeanExchangeInit {
  unary: { method: DescMethodUnary };
  protocol: WireProtocol;
  transport: Pick<LeanTransport, "headers" | "path">;
  /** When the call must be answered, as `performance.now()` counts. */
  deadlineMs: number;
  interruption: Interruption;
  contextValues: ContextValues;
}

/**
 * A call on the lean path, as the interceptors see it and as the handler does. What most calls do not need is made when it is asked for:
 * headers as objects, the signal.
 */
export class LeanExchange implements UnaryRequest, HandlerContext {
  readonly stream = false;
  readonly requestMethod = "POST";
  readonly method: DescMethodUnary;
  readonly protocolName: string;
  readonly contextValues: ContextValues;
  readonly message: Message;
  readonly #init: LeanExchangeInit;
  #header: Headers | undefined;
  #responseHeader: Headers | undefined;
  #responseTrailer: Headers | undefined;

  constructor(init: LeanExchangeInit, message: Message) {
    this.method = init.unary.method;
    this.protocolName = init.protocol;
    this.contextValues = init.contextValues;
    this.message = message;
    this.#init = init;
  }

  get service(): DescService {
    return this.method.parent;
  }

  get values(): ContextValues {
    return this.contextValues;
  }

  get signal(): AbortSignal {
    return this.#init.interruption.signal;
  }

  get url(): string {
    return `${fixedOrigin}${this.#init.transport.path}`;
  }

  get header(): Headers {
    this.#header ??= headersOf(this.#init.transport);
    return this.#header;
  }

  get requestHeader(): Headers {
    return this.header;
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

  /** Time until the deadline, in ms. */
  timeoutMs = (): number => this.#init.deadlineMs - performance.now();
}
