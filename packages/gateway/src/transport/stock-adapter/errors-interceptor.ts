import { ConnectError, type Interceptor } from "@connectrpc/connect";
import { reasonOf } from "@petak/protocol";
import type { Logger } from "../../observability/logger.ts";
import { callKey } from "../call/call.ts";
import { fromAdapterError } from "../errors/adapter-error.ts";
import { toWireError, wireError } from "../errors/wire-error.ts";
import { mapErrors } from "./streams.ts";

/** Options of {@link createErrorsInterceptor}. */
export interface ErrorsInterceptorOptions {
  /** Logs defects, with their stack. */
  logger: Logger;
  /** The longest request message, in bytes. MESSAGE_TOO_LARGE names it. */
  readMaxBytes: number;
}

/**
 * Creates the outermost interceptor: every error of the other interceptors and of the handler is sent with a reason of the catalogue, and
 * without internals. An error that is not of the domain is logged with its stack and answered with INTERNAL and the request id.
 */
export function createErrorsInterceptor({ logger, readMaxBytes }: ErrorsInterceptorOptions): Interceptor {
  return (next) => async (req) => {
    const call = req.contextValues.get(callKey);
    if (!req.stream) {
      try {
        return await next(req);
      } catch (thrown) {
        throw toWireError(thrown, { logger, readMaxBytes, call, timeoutMs: call?.timeoutMs, signal: req.signal });
      }
    }
    const context = { logger, readMaxBytes, call, timeoutMs: call?.timeoutMs, signal: req.signal };
    try {
      // A stream's messages are parsed while the handler reads them, so a malformed one is found here and not before the handler runs.
      const input = mapErrors(req.message, (thrown) => {
        const error = ConnectError.from(thrown);
        return reasonOf(error) === undefined ? wireError(fromAdapterError(error, context), call) : error;
      });
      const response = await next({ ...req, message: input });
      if (!response.stream) return response;
      return { ...response, message: mapErrors(response.message, (thrown) => toWireError(thrown, context)) };
    } catch (thrown) {
      throw toWireError(thrown, context);
    }
  };
}
