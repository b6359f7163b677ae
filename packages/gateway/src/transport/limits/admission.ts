import { PetakError } from "@petak/protocol";
import { Health } from "@petak/protocol/grpc";
import type { Metrics } from "../../observability/metrics.ts";

/** Bounds of what is in hand at once. */
export interface AdmissionOptions {
  /** Unary calls handled at once. A single process gains nothing by more: they only wait for one another. */
  maxConcurrentCalls: number;
  /** Streams open at once, counted apart: they are long and mostly idle, so they would starve the calls. */
  maxConcurrentStreams: number;
  /** Where calls in flight and calls refused are counted. */
  metrics: Pick<Metrics, "inHand" | "rpcShed">;
  /** What RetryInfo tells callers that are refused, in ms. Default 1000: long enough for the calls in hand to finish. */
  retryAfterMs?: number;
}

/** Lets calls in up to the bounds. */
export interface Admission {
  /** Lets a call in. Throws OVERLOADED where there are as many as may be. Each that is let in must leave, once. */
  enter(kind: "unary" | "stream"): void;
  leave(kind: "unary" | "stream"): void;
}

/** Makes the bound that all calls of a gateway share, whichever path they go. */
export function createAdmission({ metrics, retryAfterMs = 1000, ...options }: AdmissionOptions): Admission {
  const { inHand } = metrics;
  const limits = { unary: options.maxConcurrentCalls, stream: options.maxConcurrentStreams };
  return {
    enter(kind) {
      const limit = limits[kind];
      if (inHand[kind] < limit) {
        inHand[kind] += 1;
        return;
      }
      metrics.rpcShed.inc({ kind });
      throw new PetakError("OVERLOADED", `The gateway is processing ${limit} ${kind} calls, its limit. Try again in ${retryAfterMs} ms.`, {
        metadata: { kind, limit: String(limit) },
        retryAfterMs,
      });
    },
    leave(kind) {
      inHand[kind] -= 1;
    },
  };
}

/**
 * Whether a unary call is bounded. Health checks are always answered, since whoever restarts an unhealthy gateway must not take a busy one
 * for a dead one.
 */
export function isBounded(service: { typeName: string }): boolean {
  return service.typeName !== Health.typeName;
}
