export { AddedMetrics, type MetricsSnapshot } from "./added-metrics.ts";
export { createLogger, type LogFailure, type Logger, type LoggerOptions, type LogLevel, logLevels } from "./logger.ts";
export { createMetrics, type Metrics, type MetricsOptions } from "./metrics.ts";
export { startTracing } from "./start-tracing.ts";
export { formatTraceparent, parseTraceparent, type TraceContext } from "./trace-context.ts";
export type { AttemptSpan, SpanIds, Tracing } from "./tracing.ts";
