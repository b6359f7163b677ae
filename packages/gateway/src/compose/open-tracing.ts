import { startTracing, type Tracing } from "../observability/index.ts";
import type { GatewayOptions } from "./gateway-options.ts";

/** Whether there is an endpoint for spans. */
export function isTracing({ otlpEndpoint = "" }: Pick<GatewayOptions, "otlpEndpoint">): boolean {
  return otlpEndpoint !== "";
}

/** Starts tracing if there is an endpoint for spans. The stack stops it, after all that it was opened before. */
export async function openTracing(options: GatewayOptions, stack: AsyncDisposableStack): Promise<Tracing | undefined> {
  const { otlpEndpoint: endpoint = "", otlpSamplePercent: samplePercent = 100, logger, metrics } = options;
  if (!isTracing(options)) return undefined;
  const tracing = await startTracing({
    ...{ endpoint, samplePercent, logger },
    onLost: (reason, spans) => metrics.spansLost.inc({ reason }, spans),
  });
  stack.defer(() => tracing.stop());
  return tracing;
}
