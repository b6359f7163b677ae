import { PetakError } from "@petak/protocol";
import { Health } from "@petak/protocol/grpc";
import type { Metrics } from "../../observability/metrics.ts";

/** Options of {@link createAdmission}. */
export interface AdmissionOptions {
  /** Unary calls handled at once. More would gain nothing in a single process: they would only wait for one another. */
  maxConcurrentCalls: number;
  /** Streams open at once. They are counted apart because they are long and mostly idle, and would starve the unary calls. */
  maxConcurrentStreams: number;
  /** Counts calls in progress and calls refused. */
  metrics: Pick<Metrics, "inHand" | "rpcShed">;
  /** The delay in the RetryInfo of refused calls, in ms. Default 1000: long enough for the calls in progress to finish. */
  retryAfterMs?: number;
}

/** Bounds the calls in progress. */
export interface Admission {
  /**
   * Admits a call, which must call {@link leave} exactly once.
   *
   * @throws {PetakError} OVERLOADED if the limit is reached.
   */
  enter(kind: "unary" | "stream"): void;
  leave(kind: "unary" | "stream"): void;
}

/** Creates the bound that all calls of a gateway share, on whichever path they are handled. */
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
 * Returns whether unary calls of a service are bounded. Health checks are not: otherwise a busy gateway would look dead to the supervisor that
 * restarts unhealthy ones.
 */
export function isBounded(service: { typeName: string }): boolean {
  return service.typeName !== Health.typeName;
}
