import { Counter, collectDefaultMetrics, Gauge, type Histogram, Registry } from "prom-client";
import { CallDurations } from "./call-durations.ts";

/** What is counted at `/metrics`. Every label has few values: methods that do not exist are all `unknown`. */
export interface Metrics {
  /** Where the metrics are registered. Others may add theirs. */
  readonly registry: Registry;
  /** Seconds from a call's headers to the end of its answer, by `method`, `protocol` and `code`. */
  readonly rpcDuration: CallDurations;
  /** Calls being handled now, by `kind`, as {@link inHand} has them. */
  readonly rpcInFlight: Gauge<"kind">;
  /** Calls being handled now. Whoever handles them counts here, since a gauge takes longer than many a call. */
  readonly inHand: { unary: number; stream: number };
  /** Calls refused with OVERLOADED, by `kind`. */
  readonly rpcShed: Counter<"kind">;
  /** Open TCP connections. */
  readonly connections: Gauge;
  /** Attempts to deliver a webhook, by `outcome`: `delivered`, or why not. */
  readonly webhookAttempts: Counter<"outcome">;
  /** What has left the records for the archive, by `kind`: `event`, `reservation`. */
  readonly archived: Counter<"kind">;
  /** Rounds of archiving, or regions in one, that failed. */
  readonly archiveFailures: Counter;
  /** For how many seconds the oldest that should be in the archive has been waiting for it. */
  readonly archiveLag: Gauge;
  /** 1 while Redis answers, all of its masters where there are several; 0 while it does not. */
  readonly redisUp: Gauge;
  /** 1 while Redis answers and takes no changes, by `reason`: `disk`, `memory`, `read_only`, `replicas`; 0 otherwise. */
  readonly redisRefusesChanges: Gauge<"reason">;
  /** Errors of connections to Redis. */
  readonly redisConnectionErrors: Counter;
}

/** How metrics are made. */
export interface MetricsOptions {
  /** Whether to measure the process too: CPU, memory, event loop. Default true. Tests turn it off, since it keeps observers running. */
  processMetrics?: boolean;
}

/** Makes the gateway's metrics in a registry of their own, so that two gateways in one process do not mix. */
export function createMetrics({ processMetrics = true }: MetricsOptions = {}): Metrics {
  const registry = new Registry();
  const registers = [registry];
  if (processMetrics) collectDefaultMetrics({ register: registry });
  const rpcDuration = new CallDurations({
    name: "petak_rpc_duration_seconds",
    help: "Seconds from a call's headers to the end of its answer.",
    // The hot path answers within a millisecond, a long poll within 30 s: the buckets must tell both apart.
    bucketsS: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60],
  });
  // A registry asks its metrics for their name and their values, and for nothing else.
  registry.registerMetric(rpcDuration as unknown as Histogram);
  const inHand = { unary: 0, stream: 0 };
  return {
    registry,
    rpcDuration,
    rpcInFlight: new Gauge({
      name: "petak_rpc_in_flight",
      help: "Calls being handled now.",
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
      help: "What has left the records for the archive.",
      labelNames: ["kind"],
      registers,
    }),
    archiveFailures: new Counter({
      name: "petak_archive_failures_total",
      help: "Rounds of archiving, or regions in one, that failed.",
      registers,
    }),
    archiveLag: new Gauge({
      name: "petak_archive_lag_seconds",
      help: "For how long the oldest that should be in the archive has been waiting for it.",
      registers,
    }),
    redisUp: new Gauge({
      name: "petak_redis_up",
      help: "1 while Redis answers, all of its masters where there are several; 0 while it does not.",
      registers,
    }),
    redisRefusesChanges: new Gauge({
      name: "petak_redis_refuses_changes",
      help: "1 while Redis answers and takes no changes, by reason.",
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
