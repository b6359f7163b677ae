import type { Interceptor } from "@connectrpc/connect";
import { type Admission, isBounded } from "../limits/admission.ts";

/** Refuses with OVERLOADED what goes beyond the bounds, before anything is spent on it. */
export function createConcurrencyInterceptor(admission: Admission): Interceptor {
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
    // The signal aborts at the end of every call, however it ends: an iterator that nobody reads any more would never tell.
    if (req.signal.aborted) leave();
    else req.signal.addEventListener("abort", leave, { once: true });
    return next(req);
  };
}
