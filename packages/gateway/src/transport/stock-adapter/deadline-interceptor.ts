import type { Interceptor } from "@connectrpc/connect";
import { callKey } from "../call/call.ts";
import { untilAborted } from "../call/until-aborted.ts";
import { interruption, isInterruption, shuttingDown } from "../errors/wire-error.ts";

/** Options of {@link createDeadlineInterceptor}. */
export interface DeadlineInterceptorOptions {
  /** Aborts when the gateway begins to stop. The signal of a stream's handler then aborts too, that of a unary call does not. */
  shutdownSignal?: AbortSignal | undefined;
}

/**
 * Creates the interceptor that answers every call within its deadline, even if the handler ignores the signal. The library itself aborts the
 * signal at the deadline and then waits for the handler for ever.
 */
export function createDeadlineInterceptor({ shutdownSignal }: DeadlineInterceptorOptions = {}): Interceptor {
  return (next) => async (req) => {
    const timeoutMs = req.contextValues.get(callKey)?.timeoutMs;
    const { signal } = req;
    const handlerSignal = req.stream && shutdownSignal !== undefined ? AbortSignal.any([signal, shutdownSignal]) : signal;
    const within = async <T>(promise: Promise<T>): Promise<T> => {
      try {
        return await untilAborted(signal, promise);
      } catch (thrown) {
        if (signal.aborted && thrown === signal.reason) throw interruption(thrown, timeoutMs);
        if (!signal.aborted && handlerSignal.aborted && isInterruption(thrown, handlerSignal)) throw shuttingDown();
        throw thrown;
      }
    };
    if (!req.stream) return within(next(req));
    const response = await within(next({ ...req, signal: handlerSignal }));
    if (!response.stream) return response;
    return { ...response, message: interruptible(response.message, within) };
  };
}

async function* interruptible<T>(
  messages: AsyncIterable<T>,
  within: <R>(promise: Promise<R>) => Promise<R>,
): AsyncGenerator<T, void, undefined> {
  const iterator = messages[Symbol.asyncIterator]();
  try {
    for (;;) {
      const result = await within(iterator.next());
      if (result.done === true) return;
      yield result.value;
    }
  } finally {
    // Not awaited: a handler that hangs does not return before it wakes up.
    iterator.return?.().catch(() => {});
  }
}
