import { startTracing, type Tracing } from "../observability/index.ts";
import type { GatewayOptions } from "./gateway-options.ts";

/** Starts tracing if there is an endpoint for spans. The stack stops it, after all that it was opened before. */
export async function openTracing(
  { otlpEndpoint = "", otlpSamplePercent = 100, logger }: GatewayOptions,
  stack: AsyncDisposableStack,
): Promise<Tracing | undefined> {
  if (otlpEndpoint === "") return undefined;
  const tracing = await startTracing({ endpoint: otlpEndpoint, samplePercent: otlpSamplePercent, logger });
  stack.defer(() => tracing.stop());
  return tracing;
}
