import { ConnectError, type ContextKey, createContextKey, type Interceptor } from "@connectrpc/connect";
import { reasonOf } from "@petak/protocol";
import type { Logger } from "../../observability/logger.ts";
import { type Call, callKey } from "../call/call.ts";
import { fromAdapterError } from "../errors/adapter-error.ts";
import { toWireError, wireError } from "../errors/wire-error.ts";
import { readMaxBytesOf } from "../limits/admission.ts";
import { mapErrors } from "./streams.ts";

/** The context value of a stream that closes it without an answer. */
export const giveUpKey: ContextKey<() => void> = createContextKey<() => void>(() => {}, { description: "closes the stream" });

/** Options of {@link createErrorsInterceptor}. */
export interface ErrorsInterceptorOptions {
  /** Logs defects, with their stack. */
  logger: Logger;
  /** The longest request message, in bytes. MESSAGE_TOO_LARGE names it. */
  readMaxBytes: number;
}

/**
 * Creates the outermost interceptor: every error of the other interceptors and of the handler is sent with a reason of the catalogue, and
 * without internals. An error that is not of the domain is logged with its stack and answered with INTERNAL and the request id. The error of a stream waits
 * until its caller may be told; that of a unary call waits where it is sent.
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
    const giveUp = req.contextValues.get(giveUpKey);
    const inTurn = async (thrown: unknown): Promise<ConnectError> => {
      const error = toWireError(thrown, context);
      await turnOf(call, giveUp);
      return error;
    };
    const context = {
      logger,
      readMaxBytes: readMaxBytesOf(req.service, `${req.service.typeName}/${req.method.name}`, { readMaxBytes }),
      call,
      timeoutMs: call?.timeoutMs,
      signal: req.signal,
    };
    try {
      // A stream's messages are parsed while the handler reads them, so a malformed one is found here and not before the handler runs.
      const input = mapErrors(req.message, (thrown) => {
        const error = ConnectError.from(thrown);
        return reasonOf(error) === undefined ? wireError(fromAdapterError(error, context), call) : error;
      });
      const response = await next({ ...req, message: input });
      if (!response.stream) return response;
      return { ...response, message: mapErrors(response.message, inTurn) };
    } catch (thrown) {
      throw await inTurn(thrown);
    }
  };
}

/** Ends the share of a call that has failed, and waits until its caller may be told. The deadline does not bring that forward. */
async function turnOf(call: Call | undefined, giveUp: () => void): Promise<void> {
  const ticket = call?.ticket;
  if (ticket === undefined) return;
  await new Promise<void>((resolve) => {
    ticket.refuse(call?.outcome?.reason, resolve, () => {
      giveUp();
      resolve();
    });
  });
}
