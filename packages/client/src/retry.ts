import { durationMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { RetryInfoSchema } from "@petak/protocol/google-rpc";

/** How calls are retried. */
export interface RetryOptions {
  /** Attempts in total. Default 4: with the delays below they outlast a gateway's restart of about 2 s. */
  maxAttempts?: number;
  /** The first delay, in ms; it doubles each time. Default 200. */
  baseDelayMs?: number;
  /** The longest delay, in ms. Default 5000. If RetryInfo asks for more, the call fails at once, since the caller can plan better. */
  maxDelayMs?: number;
  /** A number in [0, 1) that spreads the delays, so that callers that failed together do not retry together. Default `Math.random`. */
  random?: () => number;
  /** Waits, or rejects when the signal aborts. Default a timer. */
  wait?: (delayMs: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Makes an interceptor that retries unary calls on UNAVAILABLE, on ABORTED (a conflict or a broken connection) and on errors with RetryInfo. It sends the same
 * message with the same `request_id`, so the gateway does not apply a change twice. The call's deadline covers all attempts. Streams are not retried: only the
 * caller knows where to resume.
 */
export function createRetryInterceptor(options: RetryOptions = {}): Interceptor {
  const { maxAttempts = 4, baseDelayMs = 200, maxDelayMs = 5_000, random = Math.random, wait = waitFor } = options;
  return (next) => async (request) => {
    if (request.stream) return next(request);
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await next(request);
      } catch (reason) {
        const error = ConnectError.from(reason);
        const askedMs = retryDelayMs(error);
        if (attempt >= maxAttempts || request.signal.aborted) throw error;
        if (askedMs === undefined && error.code !== Code.Unavailable && error.code !== Code.Aborted) throw error;
        if (askedMs !== undefined && askedMs > maxDelayMs) throw error;
        const delayMs = Math.min(maxDelayMs, baseDelayMs * 2 ** (attempt - 1)) * (0.5 + random() / 2);
        try {
          await wait((askedMs ?? 0) + delayMs, request.signal);
        } catch {
          // The deadline or the caller ended the wait; the gateway's error is more informative.
          throw error;
        }
      }
    }
  };
}

/** The delay that RetryInfo asks for, in ms; undefined if the error has none. */
function retryDelayMs(error: ConnectError): number | undefined {
  const [info] = error.findDetails(RetryInfoSchema);
  return info === undefined ? undefined : info.retryDelay === undefined ? 0 : durationMs(info.retryDelay);
}

function waitFor(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", abort);
      resolve();
    }, delayMs);
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
}
