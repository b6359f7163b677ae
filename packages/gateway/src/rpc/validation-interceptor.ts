import type { DescMessage, Message } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import { validateMessage } from "@petak/protocol";
import { tap } from "./streams.ts";

/** Checks every message that comes in against the constraints of its schema: INVALID_FIELD with all the fields that break a rule. */
export function createValidationInterceptor(): Interceptor {
  return (next) => (req) => {
    const check = (message: Message): void => validateMessage<DescMessage>(req.method.input, message);
    if (req.stream) return next({ ...req, message: tap(req.message, check) });
    check(req.message);
    return next(req);
  };
}
