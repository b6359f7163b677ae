import type { ContextValues, Interceptor } from "@connectrpc/connect";
import { mapErrors } from "../stock-adapter/streams.ts";

/** What a step sees of a call. */
export interface SteppedCall {
  readonly service: { readonly typeName: string };
  readonly contextValues: ContextValues;
}

/**
 * One step on a call's way to its handler. The stock adapter makes an interceptor of it, the unary fast path walks through its steps one after
 * the other: so both do the same, and plain calls wait for nothing that is there at once.
 */
export interface CallStep {
  /** Done before what is further in. Throws, or rejects, to refuse the call; gives a promise only where it has to wait. */
  before?(call: SteppedCall): Promise<void> | void;
  /** What becomes of an error from further in. */
  translate?(thrown: unknown): unknown;
}

/** The same as an interceptor. */
export function stepInterceptor(step: CallStep): Interceptor {
  const translate = (thrown: unknown): unknown => step.translate?.(thrown) ?? thrown;
  return (next) => async (request) => {
    await step.before?.(request);
    try {
      const response = await next(request);
      return response.stream ? { ...response, message: mapErrors(response.message, translate) } : response;
    } catch (thrown) {
      throw translate(thrown);
    }
  };
}
