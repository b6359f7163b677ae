import type { Interceptor } from "@connectrpc/connect";
import type { Logger } from "../observability/logger.ts";
import type { Metrics } from "../observability/metrics.ts";
import { createConcurrencyInterceptor } from "./concurrency-interceptor.ts";
import { createDeadlineInterceptor } from "./deadline-interceptor.ts";
import { createErrorsInterceptor } from "./errors-interceptor.ts";
import { createValidationInterceptor, type KnownValid } from "./validation-interceptor.ts";

/** What the standard interceptors need. */
export interface RpcInterceptorsOptions {
  logger: Logger;
  metrics: Metrics;
  /** See {@link createErrorsInterceptor}. */
  readMaxBytes: number;
  /** See {@link createConcurrencyInterceptor}. */
  maxConcurrentCalls: number;
  /** See {@link createConcurrencyInterceptor}. */
  maxConcurrentStreams: number;
  /** See {@link createDeadlineInterceptor}. */
  shutdownSignal?: AbortSignal;
  /** What comes between the deadline and the validation: who the caller is, so that strangers learn nothing about their fields. */
  inner?: readonly Interceptor[];
  /** See {@link createValidationInterceptor}. */
  shortcuts?: readonly KnownValid[];
}

/** The interceptors of every call, outermost first: errors, concurrency, deadline, `inner`, validation. */
export function rpcInterceptors(options: RpcInterceptorsOptions): Interceptor[] {
  return [
    createErrorsInterceptor(options),
    createConcurrencyInterceptor(options),
    createDeadlineInterceptor(options),
    ...(options.inner ?? []),
    createValidationInterceptor(options.shortcuts),
  ];
}
