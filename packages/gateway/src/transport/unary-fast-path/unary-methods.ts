import type { DescMethodUnary, Message } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import { isBounded } from "../limits/admission.ts";
import type { RegisteredService } from "../stock-adapter/stock-adapter.ts";
import type { AnswerEncoder } from "./encode-answer.ts";

/** Implements a unary method. Returns the answer, or an object from which one can be created, or a promise of it. */
export type UnaryImplementation = (message: Message, context: HandlerContext) => unknown;

/** A unary method and its implementation. */
export interface UnaryMethod {
  /** E.g. `petak.v1.DirectoryService/FindNearest`. */
  readonly name: string;
  readonly method: DescMethodUnary;
  readonly implement: UnaryImplementation;
  /** Whether its calls count towards the limit of concurrent calls. */
  readonly isBounded: boolean;
  /** A faster encoder of its answers, if there is one. */
  readonly encoder: AnswerEncoder | undefined;
}

/**
 * Returns the implemented unary methods of some services, by path.
 *
 * @param encoders faster encoders of answers
 */
export function unaryMethodsOf(
  services: readonly RegisteredService[],
  encoders: readonly AnswerEncoder[],
): ReadonlyMap<string, UnaryMethod> {
  const methods = new Map<string, UnaryMethod>();
  for (const { service, implementation } of services) {
    for (const described of service.methods) {
      const implement: unknown = Reflect.get(implementation, described.localName);
      // The library answers calls to methods that are not implemented.
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
  return methods;
}
