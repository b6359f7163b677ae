import { hostname } from "node:os";
import { type Context, ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, type Tracer, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  ParentBasedSampler,
  RandomIdGenerator,
  SamplingDecision,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import { AgentService } from "@petak/protocol";
import { type EndedCommand, isCommandTimeout } from "@petak/redis";
import { createCountedSpans } from "./counted-spans.ts";
import type { TraceContext } from "./trace-context.ts";
import type { AttemptSpan, BegunAttempt, EndedCall, SpanIds, Tracing, TracingOptions } from "./tracing.ts";

/** How long one export may take, repetitions included, in ms: a stop waits for it, and what is lost are spans only. */
const exportTimeoutMs = 3000;

const agentMethods = `${AgentService.typeName}/`;

/** The codes that are errors of the server by OpenTelemetry's conventions. Other failures are the caller's. */
const serverErrors: ReadonlySet<string> = new Set([
  "unknown",
  "deadline_exceeded",
  "unimplemented",
  "internal",
  "unavailable",
  "data_loss",
]);

/** Creates the recorder of spans. Spans that find no room wait for nothing: they are lost. */
export function createTracing({ endpoint, samplePercent, logger, onLost }: TracingOptions): Tracing {
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/$/, "")}/v1/traces`, timeoutMillis: exportTimeoutMs });
  const ratio = new TraceIdRatioBasedSampler(samplePercent / 100);
  const sampler = new ParentBasedSampler({ root: ratio });
  const ids = new ForeseenIds();
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ "service.name": "petak-gateway", "host.name": hostname(), "process.pid": process.pid }),
    sampler,
    idGenerator: ids,
    spanProcessors: [createCountedSpans({ exporter, exportTimeoutMs, logger, onLost })],
  });
  const tracer = provider.getTracer("petak-gateway");

  /** The trace of a call's caller. An agent without the flag leaves the decision to the gateway, since it records nothing. The same trace has always the same. */
  function decided({ method, trace: caller }: Pick<EndedCall, "method" | "trace">): TraceContext | undefined {
    if (caller === undefined || caller.isSampled || !method.startsWith(agentMethods)) return caller;
    return { ...caller, isSampled: ratio.shouldSample(ROOT_CONTEXT, caller.traceId).decision === SamplingDecision.RECORD_AND_SAMPLED };
  }

  return {
    beginCall(call) {
      const caller = decided(call);
      const traceId = caller?.traceId ?? ids.generateTraceId();
      const { decision } = sampler.shouldSample(parentOf(caller), traceId, "", SpanKind.SERVER, {}, []);
      return decision === SamplingDecision.RECORD_AND_SAMPLED ? { traceId, spanId: ids.generateSpanId() } : null;
    },
    recordCall: (call) =>
      call.span === null ? undefined : ids.during(call.span, () => recordCall(tracer, { ...call, trace: decided(call) })),
    recordCommand: (call, command) => recordCommand(tracer, call, command),
    beginAttempt: (attempt) => beginAttempt(tracer, attempt),
    async stop() {
      // Its failure has been logged.
      await provider.shutdown().catch(() => {});
    },
  };
}

/** Gives a span that is made when its call has ended the ids that others have been told of before. */
class ForeseenIds extends RandomIdGenerator {
  #foreseen: SpanIds | undefined;

  /** Makes a span with these ids. Undefined: with new ones. */
  during<Span>(ids: SpanIds | undefined, make: () => Span): Span {
    this.#foreseen = ids;
    try {
      return make();
    } finally {
      this.#foreseen = undefined;
    }
  }

  override generateTraceId(): string {
    return this.#foreseen?.traceId ?? super.generateTraceId();
  }

  override generateSpanId(): string {
    return this.#foreseen?.spanId ?? super.generateSpanId();
  }
}

function recordCall(tracer: Tracer, { requestId, method, protocol, code, reason, participant, durationMs, trace }: EndedCall) {
  const endMs = Date.now();
  // Conventions of RPC: the names are stable, and both protocols have the codes of gRPC.
  const attributes: Record<string, string> = {
    "rpc.system.name": protocol.startsWith("grpc") ? "grpc" : "connectrpc",
    "rpc.method": method,
    "rpc.status_code": code === "canceled" ? "CANCELLED" : code.toUpperCase(),
    "petak.protocol": protocol,
    "petak.request_id": requestId,
  };
  if (participant !== undefined) attributes["petak.participant"] = participant;
  if (reason !== undefined) attributes["petak.reason"] = reason;
  const isServerError = serverErrors.has(code);
  if (isServerError) attributes["error.type"] = reason ?? code;
  const span = tracer.startSpan(method, { kind: SpanKind.SERVER, startTime: endMs - durationMs, attributes }, parentOf(trace));
  if (!span.isRecording()) return undefined;
  if (isServerError) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end(endMs);
  return span.spanContext();
}

function recordCommand(tracer: Tracer, call: SpanIds, { operation, script, batchSize, durationMs, error }: EndedCommand): void {
  const endMs = Date.now();
  const attributes: Record<string, string | number> = { "db.system.name": "redis", "db.operation.name": operation };
  if (script !== "") attributes["db.stored_procedure.name"] = script;
  if (batchSize > 1) attributes["db.operation.batch.size"] = batchSize;
  if (error !== undefined) attributes["error.type"] = errorTypeOf(error);
  const name = script === "" ? operation : `${operation} ${script}`;
  const options = { kind: SpanKind.CLIENT, startTime: endMs - durationMs, attributes };
  const span = tracer.startSpan(name, options, parentOf({ ...call, isSampled: true }, false));
  if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end(endMs);
}

/** The code of an error of Redis, e.g. `MISCONF`. What follows it may name keys. */
function errorTypeOf(error: unknown): string {
  if (isCommandTimeout(error)) return "timeout";
  return (error instanceof Error && /^[A-Z]{2,}(?= )/.exec(error.message)?.[0]) || "_OTHER";
}

function beginAttempt(tracer: Tracer, { endpointId, eventId, url, cause }: BegunAttempt): AttemptSpan {
  // Neither path nor query: owners have secrets there.
  const { hostname: host, port, protocol } = URL.parse(url) ?? { hostname: "", port: "", protocol: "" };
  const attributes = {
    "http.request.method": "POST",
    "server.address": host,
    "server.port": Number(port) || (protocol === "http:" ? 80 : 443),
    "petak.webhook_endpoint_id": endpointId,
    "petak.event_id": eventId,
  };
  const span = tracer.startSpan("POST webhook", { kind: SpanKind.CLIENT, attributes }, parentOf(cause));
  const { traceId, spanId, traceFlags } = span.spanContext();
  return {
    traceparent: `00-${traceId}-${spanId}-0${traceFlags & TraceFlags.SAMPLED}`,
    end(outcome, status) {
      if (status > 0) span.setAttribute("http.response.status_code", status);
      if (outcome !== "delivered") span.setAttribute("error.type", outcome).setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    },
  };
}

function parentOf(caller: TraceContext | undefined, isRemote = true): Context {
  if (caller === undefined) return ROOT_CONTEXT;
  const { traceId, spanId, isSampled } = caller;
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
    isRemote,
  });
}
