import type { Interceptor } from "@connectrpc/connect";
import type { Logger } from "../../observability/logger.ts";
import { type CallStep, stepInterceptor } from "../call/call-step.ts";
import type { Admission } from "../limits/admission.ts";
import { createConcurrencyInterceptor } from "./concurrency-interceptor.ts";
import { createDeadlineInterceptor } from "./deadline-interceptor.ts";
import { createErrorsInterceptor } from "./errors-interceptor.ts";
import { createValidationInterceptor } from "./validation-interceptor.ts";

/** What every call goes through, on whichever path. */
export interface CallSequence {
  admission: Admission;
  /** What comes between the deadline and the validation: who the caller is, so that strangers learn nothing about their fields. */
  steps: readonly CallStep[];
}

/** What the interceptors need. */
export interface RpcInterceptorsOptions extends CallSequence {
  logger: Logger;
  /** See {@link createErrorsInterceptor}. */
  readMaxBytes: number;
  /** See {@link createDeadlineInterceptor}. */
  shutdownSignal?: AbortSignal;
}

/**
 * The sequence as the interceptors of every call in the stock adapter, outermost first: errors, concurrency, deadline, the steps,
 * validation. `unary-fast-path/fast-call.ts` has the same parts in the same order.
 */
export function rpcInterceptors(options: RpcInterceptorsOptions): Interceptor[] {
  return [
    createErrorsInterceptor(options),
    createConcurrencyInterceptor(options.admission),
    createDeadlineInterceptor(options),
    ...options.steps.map(stepInterceptor),
    createValidationInterceptor(),
  ];
}
