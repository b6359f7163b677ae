import { create, type DescMessage, type DescMethodUnary, type DescService, type Message } from "@bufbuild/protobuf";
import type { ConnectRouter, HandlerContext, Interceptor, UnaryRequest, UnaryResponse } from "@connectrpc/connect";
import type { AnswerEncoder } from "./answer-encoder.ts";
import { LeanExchange } from "./lean-exchange.ts";
import type { RequestDecoder } from "./request-decoder.ts";

/** Calls a method's implementation through the interceptors and gives its answer. */
export type UnaryInvocation = (exchange: LeanExchange) => Promise<Message>;

/** A unary method and how it is called. */
export interface UnaryMethod {
  /** As `petak.v1.DirectoryService/FindNearest`. */
  name: string;
  method: DescMethodUnary;
  invoke: UnaryInvocation;
  /** A faster encoder of its answers, where there is one. */
  encoder: AnswerEncoder | undefined;
  /** A faster decoder of its requests, where there is one. */
  decoder: RequestDecoder | undefined;
}

/** Encoders and decoders that are faster than the library's, for the methods where it counts. */
export interface FastCodecs {
  encoders: readonly AnswerEncoder[];
  decoders: readonly RequestDecoder[];
}

type UnaryImplementation = (message: Message, context: HandlerContext) => unknown;
type Next = (request: UnaryRequest) => Promise<UnaryResponse>;

const noHeaders = new Headers();

/**
 * A router that gives everything to another one and keeps the unary methods too, by path, each with its interceptors put around it once
 * and not at every call.
 */
export function keepUnaryMethods(
  router: ConnectRouter,
  interceptors: readonly Interceptor[],
  { encoders, decoders }: FastCodecs,
): { router: ConnectRouter; methods: ReadonlyMap<string, UnaryMethod> } {
  const methods = new Map<string, UnaryMethod>();

  function keep(service: DescService, implementation: object): void {
    for (const described of service.methods) {
      const implement: unknown = Reflect.get(implementation, described.localName);
      // The library answers for those that are not there.
      if (described.methodKind !== "unary" || typeof implement !== "function") continue;
      const method = described as DescMethodUnary;
      const bound = implement.bind(implementation) as UnaryImplementation;
      const name = `${service.typeName}/${method.name}`;
      const encoder = encoders.find(({ schema }) => schema === method.output);
      const decoder = decoders.find(({ schema }) => schema === method.input);
      methods.set(`/${name}`, { name, method, invoke: invocation(method, bound, interceptors), encoder, decoder });
    }
  }

  const keeping: ConnectRouter = {
    handlers: router.handlers,
    service(service, implementation, options) {
      router.service(service, implementation, options);
      // Options of its own would have to hold here too.
      if (options === undefined) keep(service, implementation);
      return keeping;
    },
    rpc(method, implementation, options) {
      router.rpc(method, implementation, options);
      return keeping;
    },
  };
  return { router: keeping, methods };
}

function invocation(method: DescMethodUnary, implement: UnaryImplementation, interceptors: readonly Interceptor[]): UnaryInvocation {
  const innermost: Next = async (request) => {
    if (!(request instanceof LeanExchange))
      throw new TypeError("an interceptor of unary calls put another request in place of the one it got");
    const answer = (await implement(request.message, request)) as Message;
    return {
      stream: false,
      service: method.parent,
      method,
      message: create<DescMessage>(method.output, answer),
      header: noHeaders,
      trailer: noHeaders,
    };
  };
  const outermost = interceptors.toReversed().reduce<Next>((next, interceptor) => interceptor(next as never) as Next, innermost);
  return async (exchange) => (await outermost(exchange)).message;
}
