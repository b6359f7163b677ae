import { ConnectError, type Interceptor } from "@connectrpc/connect";
import { reasonOf } from "@petak/protocol";
import type { Logger } from "../../observability/logger.ts";
import { callKey } from "../call/call.ts";
import { fromAdapterError } from "../errors/adapter-error.ts";
import { toWireError, wireError } from "../errors/wire-error.ts";
import { mapErrors } from "./streams.ts";

/** What the errors interceptor needs. */
export interface ErrorsInterceptorOptions {
  /** Where defects are written, with their stack. */
  logger: Logger;
  /** The greatest message that is read, in bytes; it is named in MESSAGE_TOO_LARGE. */
  readMaxBytes: number;
}

/**
 * The outermost interceptor: whatever comes out of the others and of the handler leaves with a reason of the catalogue, and nothing
 * else of it leaves. What is no error of the domain is logged with its stack and answered as INTERNAL with the request id.
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
      // The messages of a stream are parsed while the handler reads them, so a malformed one comes up here and not before the handler.
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
