import type { ContextValues } from "@connectrpc/connect";
import type { Reason } from "@petak/protocol";
import type { Logger } from "../../observability/logger.ts";
import type { Metrics } from "../../observability/metrics.ts";
import { parseTraceparent } from "../../observability/trace-context.ts";
import type { Tracing } from "../../observability/tracing.ts";
import type { Call, DescribeCaller } from "./call.ts";

/** Options of {@link createCallRecorder}. */
export interface CallRecorderOptions {
  logger: Logger;
  metrics: Metrics;
  describeCaller?: DescribeCaller | undefined;
  tracing?: Tracing | undefined;
}

/** Records the end of a call. `startedMs` is the value of `performance.now()` when its headers arrived. */
export type RecordCall = (call: Call, values: ContextValues, startedMs: number) => void;

/** Failures that the operator of the gateway can do something about and the caller cannot. They are logged as warnings. */
const operatorReasons: ReadonlySet<string> = new Set<Reason>([
  "INTERNAL",
  "STORE_UNAVAILABLE",
  "STORE_FULL",
  "ARCHIVE_UNAVAILABLE",
  "DURABILITY_UNCONFIRMED",
  "REPLICAS_UNAVAILABLE",
  "OVERLOADED",
]);

const noTrace = { traceId: undefined, spanId: undefined };

/** Returns a function that writes one log line and one measurement for each call, and its span. */
export function createCallRecorder({ logger, metrics, describeCaller, tracing }: CallRecorderOptions): RecordCall {
  return (call, values, startedMs) => {
    const { requestId, method, protocol } = call;
    const durationMs = performance.now() - startedMs;
    const { code, reason } = call.outcome ?? { code: "ok", reason: undefined };
    metrics.rpcDuration.count(method, protocol, code, durationMs / 1000);
    const level = reason !== undefined && operatorReasons.has(reason) ? "warn" : "info";
    const isLogged = logger.isLevelEnabled(level);
    if (!isLogged && tracing === undefined) return;
    const participant = describeCaller?.(values);
    const trace = parseTraceparent(call.traceparent);
    const span = tracing?.recordCall({ requestId, method, protocol, code, reason, participant, durationMs, trace, span: call.span });
    if (!isLogged) return;
    const duration_ms = Math.round(durationMs * 1000) / 1000;
    // The line belongs to the gateway's span if there is one, else to the caller's.
    const { traceId: trace_id, spanId: span_id } = span ?? trace ?? noTrace;
    logger[level]({ request_id: requestId, method, protocol, code, reason, participant, duration_ms, trace_id, span_id }, "rpc");
  };
}
