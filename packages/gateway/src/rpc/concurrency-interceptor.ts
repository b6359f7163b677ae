import type { Interceptor } from "@connectrpc/connect";
import { PetakError } from "@petak/protocol";
import { Health } from "@petak/protocol/grpc";
import type { Metrics } from "../observability/metrics.ts";

/** Bounds of what is in hand at once. */
export interface ConcurrencyInterceptorOptions {
  /** Unary calls handled at once. A single process gains nothing by more: they only wait for one another. */
  maxConcurrentCalls: number;
  /** Streams open at once, counted apart: they are long and mostly idle, so they would starve the calls. */
  maxConcurrentStreams: number;
  /** Where calls in flight and calls refused are counted. */
  metrics?: Metrics;
  /** What RetryInfo tells callers that are refused, in ms. Default 1000: long enough for the calls in hand to finish. */
  retryAfterMs?: number;
}

/**
 * Refuses with OVERLOADED what goes beyond the bounds, before anything is spent on it. Health checks are always answered, since whoever
 * restarts an unhealthy gateway must not take a busy one for a dead one.
 */
export function createConcurrencyInterceptor(options: ConcurrencyInterceptorOptions): Interceptor {
  const { maxConcurrentCalls, maxConcurrentStreams, metrics, retryAfterMs = 1000 } = options;
  const inHand = { unary: 0, stream: 0 };

  function enter(kind: "unary" | "stream", limit: number): () => void {
    if (inHand[kind] >= limit) {
      metrics?.rpcShed.inc({ kind });
      throw new PetakError(
        "OVERLOADED",
        `The gateway has ${limit} ${kind} calls in hand, as many as it takes. Try again in ${retryAfterMs} ms.`,
        {
          metadata: { kind, limit: String(limit) },
          retryAfterMs,
        },
      );
    }
    inHand[kind] += 1;
    metrics?.rpcInFlight.inc({ kind });
    let left = false;
    return () => {
      if (left) return;
      left = true;
      inHand[kind] -= 1;
      metrics?.rpcInFlight.dec({ kind });
    };
  }

  return (next) => async (req) => {
    if (!req.stream) {
      if (req.service.typeName === Health.typeName) return next(req);
      const leave = enter("unary", maxConcurrentCalls);
      try {
        return await next(req);
      } finally {
        leave();
      }
    }
    const leave = enter("stream", maxConcurrentStreams);
    // The signal aborts at the end of every call, however it ends: an iterator that nobody reads any more would never tell.
    if (req.signal.aborted) leave();
    else req.signal.addEventListener("abort", leave, { once: true });
    return next(req);
  };
}
