import type { Tracing, TracingOptions } from "./tracing.ts";

/** Starts tracing. OpenTelemetry is loaded here and nowhere else, so that gateways without an endpoint start without it. */
export async function startTracing(options: TracingOptions): Promise<Tracing> {
  const { createTracing } = await import("./otlp-tracing.ts");
  return createTracing(options);
}
