import type { ContextValues } from "@connectrpc/connect";
import type { Reason } from "@petak/protocol";
import type { Logger } from "../../observability/logger.ts";
import type { Metrics } from "../../observability/metrics.ts";
import type { Call, DescribeCaller } from "./call.ts";

/** What recording calls needs. */
export interface CallRecorderOptions {
  logger: Logger;
  metrics: Metrics;
  /** Names the caller in the log. */
  describeCaller?: DescribeCaller | undefined;
}

/** Writes one line and one measurement at the end of a call. `startedMs` is what `performance.now()` said when its headers came. */
export type RecordCall = (call: Call, values: ContextValues, startedMs: number) => void;

/** Refusals that the operator can do something about, and the caller cannot. */
const ofOperator: ReadonlySet<string> = new Set<Reason>([
  "INTERNAL",
  "STORE_UNAVAILABLE",
  "ARCHIVE_UNAVAILABLE",
  "DURABILITY_UNCONFIRMED",
  "REPLICAS_UNAVAILABLE",
  "OVERLOADED",
]);

/** Makes what records calls. */
export function createCallRecorder({ logger, metrics, describeCaller }: CallRecorderOptions): RecordCall {
  return (call, values, startedMs) => {
    const { requestId, method, protocol } = call;
    const durationMs = performance.now() - startedMs;
    const { code, reason } = call.outcome ?? { code: "ok", reason: undefined };
    metrics.rpcDuration.count(method, protocol, code, durationMs / 1000);
    const level = reason !== undefined && ofOperator.has(reason) ? "warn" : "info";
    if (!logger.isLevelEnabled(level)) return;
    const participant = describeCaller?.(values);
    const duration_ms = Math.round(durationMs * 1000) / 1000;
    logger[level]({ request_id: requestId, method, protocol, code, reason, participant, duration_ms }, "rpc");
  };
}
