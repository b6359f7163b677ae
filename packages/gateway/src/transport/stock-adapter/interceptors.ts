import type { Interceptor } from "@connectrpc/connect";
import { validateMessage } from "@petak/protocol";
import type { Logger } from "../../observability/logger.ts";
import type { CallStep } from "../call/call-step.ts";
import { type Admission, isBounded } from "../limits/admission.ts";
import { createDeadlineInterceptor } from "./deadline-interceptor.ts";
import { createErrorsInterceptor } from "./errors-interceptor.ts";
import { mapErrors, tap } from "./streams.ts";

/** What every call passes through, on whichever path it is handled. */
export interface CallSequence {
  admission: Admission;
  /** The steps between the deadline and the validation, outermost first. Callers are identified there, so strangers learn nothing about fields. */
  steps: readonly CallStep[];
}

/** Options of {@link stockInterceptors}. */
export interface StockInterceptorsOptions extends CallSequence {
  logger: Logger;
  /** See {@link createErrorsInterceptor}. */
  readMaxBytes: number;
  /** See {@link createDeadlineInterceptor}. */
  shutdownSignal: AbortSignal | undefined;
}

/**
 * Returns the interceptors of the stock adapter, outermost first: errors, concurrency, deadline, the steps, validation.
 * `unary-fast-path/fast-call.ts` does the same in the same order.
 */
export function stockInterceptors(options: StockInterceptorsOptions): Interceptor[] {
  return [
    createErrorsInterceptor(options),
    concurrencyInterceptor(options.admission),
    createDeadlineInterceptor(options),
    ...options.steps.map(stepInterceptor),
    validationInterceptor,
  ];
}

/** Runs a step as an interceptor. */
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

/** Refuses calls beyond the limits with OVERLOADED before anything is spent on them. */
function concurrencyInterceptor(admission: Admission): Interceptor {
  return (next) => async (req) => {
    if (!req.stream) {
      if (!isBounded(req.service)) return next(req);
      admission.enter("unary");
      try {
        return await next(req);
      } finally {
        admission.leave("unary");
      }
    }
    admission.enter("stream");
    const leave = (): void => admission.leave("stream");
    // The signal aborts at the end of every call, however it ends. The end of an iterator that nobody reads would go unnoticed.
    if (req.signal.aborted) leave();
    else req.signal.addEventListener("abort", leave, { once: true });
    return next(req);
  };
}

/** Checks every request message against the constraints of its schema. */
const validationInterceptor: Interceptor = (next) => (req) => {
  const { input } = req.method;
  if (req.stream) return next({ ...req, message: tap(req.message, (message) => validateMessage(input, message)) });
  validateMessage(input, req.message);
  return next(req);
};
