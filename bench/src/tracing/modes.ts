import type { GatewayOptions } from "@petak/gateway";

/** Says to a server where its spans go, and how many of its calls are recorded, as an object of JSON. */
const tracingVariable = "BENCH_TRACING";

/** A way in which calls are traced. */
export interface TracingMode {
  readonly name: string;
  /** The `traceparent` of each call. "": none. */
  readonly traceparent: string;
  /** See the gateway's setting. Undefined: the gateway sends no spans. */
  readonly otlpSamplePercent: number | undefined;
}

/** The ways that are compared; all others with the first. */
export const tracingModes: readonly [TracingMode, ...TracingMode[]] = [
  { name: "no traces", traceparent: "", otlpSamplePercent: undefined },
  {
    name: "each call has a sampled `traceparent`, the gateway sends no spans",
    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    otlpSamplePercent: undefined,
  },
  { name: "1 % of calls are recorded", traceparent: "", otlpSamplePercent: 1 },
  { name: "all calls are recorded", traceparent: "", otlpSamplePercent: 100 },
];

/** The environment of a server that traces in this way. */
export function environmentOf({ otlpSamplePercent }: TracingMode, otlpEndpoint: string): Record<string, string> {
  return otlpSamplePercent === undefined ? {} : { [tracingVariable]: JSON.stringify({ otlpEndpoint, otlpSamplePercent }) };
}

/** Reads the options of a server's gateway from its environment. Default: none. */
export function tracingOptions(): Pick<GatewayOptions, "otlpEndpoint" | "otlpSamplePercent"> {
  return JSON.parse(process.env[tracingVariable] ?? "{}") as Pick<GatewayOptions, "otlpEndpoint" | "otlpSamplePercent">;
}
