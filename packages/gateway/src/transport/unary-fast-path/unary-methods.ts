import type { DescMethodUnary, DescService, Message } from "@bufbuild/protobuf";
import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";
import { isBounded } from "../limits/admission.ts";
import type { AnswerEncoder } from "./answer-encoder.ts";

/** What a service does for a unary method: gives the answer or what one can be made of, at once or later. */
export type UnaryImplementation = (message: Message, context: HandlerContext) => unknown;

/** A unary method and how it is called. */
export interface UnaryMethod {
  /** As `petak.v1.DirectoryService/FindNearest`. */
  readonly name: string;
  readonly method: DescMethodUnary;
  readonly implement: UnaryImplementation;
  /** Whether its calls count among those in hand. */
  readonly isBounded: boolean;
  /** A faster encoder of its answers, where there is one. */
  readonly encoder: AnswerEncoder | undefined;
}

/**
 * A router that gives everything to another one and keeps the unary methods too, by path.
 *
 * @param encoders encoders of answers that are faster than the library's, for the methods where it counts
 */
export function keepUnaryMethods(
  router: ConnectRouter,
  encoders: readonly AnswerEncoder[],
): { router: ConnectRouter; methods: ReadonlyMap<string, UnaryMethod> } {
  const methods = new Map<string, UnaryMethod>();

  function keep(service: DescService, implementation: object): void {
    for (const described of service.methods) {
      const implement: unknown = Reflect.get(implementation, described.localName);
      // The library answers for those that are not there.
      if (described.methodKind !== "unary" || typeof implement !== "function") continue;
      const method = described as DescMethodUnary;
      const name = `${service.typeName}/${method.name}`;
      methods.set(`/${name}`, {
        name,
        method,
        implement: implement.bind(implementation) as UnaryImplementation,
        isBounded: isBounded(service),
        encoder: encoders.find(({ schema }) => schema === method.output),
      });
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
