import type { Interceptor } from "@connectrpc/connect";
import { validateMessage } from "@petak/protocol";
import { tap } from "./streams.ts";

/** Checks every message that comes in against the constraints of its schema. */
export function createValidationInterceptor(): Interceptor {
  return (next) => (req) => {
    const { input } = req.method;
    if (req.stream) return next({ ...req, message: tap(req.message, (message) => validateMessage(input, message)) });
    validateMessage(input, req.message);
    return next(req);
  };
}
