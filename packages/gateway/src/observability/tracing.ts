import type { EndedCommand } from "@petak/redis";
import type { Logger } from "./logger.ts";
import type { TraceContext } from "./trace-context.ts";

/** Options of `startTracing`. */
export interface TracingOptions {
  /** Where spans are sent: the base URL of a collector that takes OTLP over HTTP. `/v1/traces` is appended. */
  endpoint: string;
  /** How many of the calls without a trace of their caller, and of webhook attempts, are recorded, in percent. */
  samplePercent: number;
  logger: Logger;
  /** Called with spans that are lost, and why. */
  onLost: (reason: "queue_full" | "export_failed", spans: number) => void;
}

/** The ids of a span. */
export type SpanIds = Pick<TraceContext, "traceId" | "spanId">;

/** A call that has ended. */
export interface EndedCall {
  readonly requestId: string;
  /** E.g. `petak.v1.DirectoryService/FindNearest`. */
  readonly method: string;
  readonly protocol: string;
  /** As on the wire, e.g. `not_found`; `ok` for a success. */
  readonly code: string;
  readonly reason: string | undefined;
  readonly participant: string | undefined;
  readonly durationMs: number;
  /** The trace of its caller. */
  readonly trace: TraceContext | undefined;
  /** What {@link Tracing.beginCall} decided. Undefined: its work did not begin. */
  readonly span: SpanIds | null | undefined;
}

/** An attempt to deliver a webhook that begins. */
export interface BegunAttempt {
  readonly endpointId: string;
  readonly eventId: string;
  readonly url: string;
  /** The trace of the call that caused the event. Undefined: none that is recorded. */
  readonly cause: TraceContext | undefined;
}

/** The span of an attempt. */
export interface AttemptSpan {
  /** The header that tells the receiver of it, and whether it is recorded. */
  readonly traceparent: string;
  /** Ends it. `outcome` is `delivered` or why not, `status` that of HTTP, 0 if there was no response. */
  end(outcome: string, status: number): void;
}

/** Records spans and sends them to a collector. */
export interface Tracing {
  /**
   * Decides on a call whose work begins, as its caller's flag or the sampling says; of agents' calls without the flag the sampling does. Returns the ids that its
   * span will have; null: it is not recorded.
   */
  beginCall(call: Pick<EndedCall, "method" | "trace">): SpanIds | null;
  /** Records a call, if that was decided or is now. Returns the ids of its span if it is recorded. */
  recordCall(call: EndedCall): SpanIds | undefined;
  /** Records a command that was sent to Redis for a call that is recorded. */
  recordCommand(call: SpanIds, command: EndedCommand): void;
  /** Begins the span of an attempt, in the trace of the call that caused the event, or the first of a trace. */
  beginAttempt(attempt: BegunAttempt): AttemptSpan;
  /** Sends what waits, for a limited time. */
  stop(): Promise<void>;
}
