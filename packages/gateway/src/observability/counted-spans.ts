import { BatchSpanProcessor, type SpanExporter, type SpanProcessor } from "@opentelemetry/sdk-trace";
import type { Logger } from "./logger.ts";
import type { TracingOptions } from "./tracing.ts";

/** How many ended spans wait for their export at most. What ends beyond that is lost. */
export const waitingMax = 2048;

export interface CountedSpansOptions extends Pick<TracingOptions, "logger" | "onLost"> {
  exporter: SpanExporter;
  exportTimeoutMs: number;
}

/** The SDK's batches of spans, with a count of those that are lost: the SDK tells nobody. */
export function createCountedSpans({ exporter, exportTimeoutMs, logger, onLost }: CountedSpansOptions): SpanProcessor {
  let waiting = 0;
  const failing = createFailureLog(logger);
  const batches = new BatchSpanProcessor({
    maxQueueSize: waitingMax,
    exportTimeoutMillis: exportTimeoutMs,
    exporter: {
      export(spans, done) {
        waiting -= spans.length;
        exporter.export(spans, (result) => {
          failing(result.error, spans.length);
          if (result.error !== undefined) onLost("export_failed", spans.length);
          done(result);
        });
      },
      shutdown: () => exporter.shutdown(),
    },
  });
  return {
    onStart: (span, context) => batches.onStart(span, context),
    onEnd(span) {
      if (waiting >= waitingMax) {
        onLost("queue_full", 1);
        return;
      }
      waiting += 1;
      batches.onEnd(span);
    },
    forceFlush: () => batches.forceFlush(),
    shutdown: () => batches.shutdown(),
  };
}

/** Logs when exports begin to fail and when they succeed again. */
function createFailureLog(logger: Logger): (error: Error | undefined, spans: number) => void {
  let isFailing = false;
  return (error, spans) => {
    if (error !== undefined && !isFailing) logger.warn({ err: error, spans }, "spans cannot be exported and are lost");
    if (error === undefined && isFailing) logger.info("spans are exported again");
    isFailing = error !== undefined;
  };
}
