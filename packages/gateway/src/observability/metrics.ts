import { Counter, collectDefaultMetrics, Gauge, type Histogram, Registry } from "prom-client";
import { CallDurations } from "./call-durations.ts";

/** The metrics at `/metrics`. Every label has few values: all methods that do not exist are `unknown`. */
export interface Metrics {
  /** The registry of these metrics. Other code may add its own. */
  readonly registry: Registry;
  /** Seconds from a call's headers to the end of its response, by `method`, `protocol` and `code`. */
  readonly rpcDuration: CallDurations;
  /** Calls in progress by `kind`, read from {@link inHand}. */
  readonly rpcInFlight: Gauge<"kind">;
  /** Calls in progress. Handlers count here, because updating a gauge takes longer than some calls. */
  readonly inHand: { unary: number; stream: number };
  /** Calls refused with OVERLOADED, by `kind`. */
  readonly rpcShed: Counter<"kind">;
  /** Open TCP connections. */
  readonly connections: Gauge;
  /** Attempts to deliver a webhook, by `outcome`: `delivered`, or the reason of the failure. */
  readonly webhookAttempts: Counter<"outcome">;
  /** Items moved from the store to the archive, by `kind`: `event`, `reservation`. */
  readonly archived: Counter<"kind">;
  /** Failed archiving rounds, or failed regions of a round. */
  readonly archiveFailures: Counter;
  /** Seconds for which the oldest item due for the archive has waited. */
  readonly archiveLag: Gauge;
  /** 1 while Redis responds, in a cluster all of its masters; otherwise 0. */
  readonly redisUp: Gauge;
  /** 1 while Redis responds but rejects writes, by `reason`: `disk`, `memory`, `read_only`, `replicas`; otherwise 0. */
  readonly redisRejectsWrites: Gauge<"reason">;
  /** Errors of connections to Redis. */
  readonly redisConnectionErrors: Counter;
}

/** Options of {@link createMetrics}. */
export interface MetricsOptions {
  /** Whether to measure CPU, memory and event loop of the process too. Default true. Tests turn it off, because its observers keep running. */
  processMetrics?: boolean;
}

/** Creates a gateway's metrics in a separate registry, so that two gateways in one process do not mix. */
export function createMetrics({ processMetrics = true }: MetricsOptions = {}): Metrics {
  const registry = new Registry();
  const registers = [registry];
  if (processMetrics) collectDefaultMetrics({ register: registry });
  const rpcDuration = new CallDurations({
    name: "petak_rpc_duration_seconds",
    help: "Seconds from a call's headers to the end of its response.",
    // Searches take less than a millisecond and long polls up to 30 s. The buckets resolve both.
    bucketsS: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60],
  });
  // A registry uses only the name and the values of its metrics.
  registry.registerMetric(rpcDuration as unknown as Histogram);
  const inHand = { unary: 0, stream: 0 };
  return {
    registry,
    rpcDuration,
    rpcInFlight: new Gauge({
      name: "petak_rpc_in_flight",
      help: "Calls in progress.",
      labelNames: ["kind"],
      registers,
      collect() {
        this.set({ kind: "unary" }, inHand.unary);
        this.set({ kind: "stream" }, inHand.stream);
      },
    }),
    inHand,
    rpcShed: new Counter({ name: "petak_rpc_shed_total", help: "Calls refused with OVERLOADED.", labelNames: ["kind"], registers }),
    connections: new Gauge({ name: "petak_connections", help: "Open TCP connections.", registers }),
    webhookAttempts: new Counter({
      name: "petak_webhook_attempts_total",
      help: "Attempts to deliver a webhook.",
      labelNames: ["outcome"],
      registers,
    }),
    archived: new Counter({
      name: "petak_archived_total",
      help: "Items moved from the store to the archive.",
      labelNames: ["kind"],
      registers,
    }),
    archiveFailures: new Counter({
      name: "petak_archive_failures_total",
      help: "Failed archiving rounds, or failed regions of a round.",
      registers,
    }),
    archiveLag: new Gauge({
      name: "petak_archive_lag_seconds",
      help: "Seconds for which the oldest item due for the archive has waited.",
      registers,
    }),
    redisUp: new Gauge({
      name: "petak_redis_up",
      help: "1 while Redis responds, in a cluster all of its masters; otherwise 0.",
      registers,
    }),
    redisRejectsWrites: new Gauge({
      name: "petak_redis_rejects_writes",
      help: "1 while Redis responds but rejects writes, by reason.",
      labelNames: ["reason"],
      registers,
    }),
    redisConnectionErrors: new Counter({
      name: "petak_redis_connection_errors_total",
      help: "Errors of connections to Redis.",
      registers,
    }),
  };
}
