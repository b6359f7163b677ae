import { Counter, collectDefaultMetrics, Gauge, type Histogram, Registry } from "prom-client";
import { CallDurations } from "./call-durations.ts";
import { registerEventLoopLag } from "./event-loop-lag.ts";

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
  /** Calls refused with RATE_LIMITED because their caller had its share, by `kind`. */
  readonly callsRefused: Counter<"kind">;
  /** Signatures of request tokens and proofs that were verified: the most expensive thing that a stranger can ask for. */
  readonly signatureChecks: Counter;
  /** Open TCP connections. */
  readonly connections: Gauge;
  /** Connections that the gateway closed to have room, by `reason`: `full`, `no_call`, `idle`, `health_only`, `pipelined`. */
  readonly connectionsClosed: Counter<"reason">;
  /** Attempts to deliver a webhook, by `outcome`: `delivered`, or the reason of the failure. */
  readonly webhookAttempts: Counter<"outcome">;
  /** Spans that were not sent to the collector, by `reason`: `queue_full`, `export_failed`. */
  readonly spansLost: Counter<"reason">;
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
  /** Part of its memory that the fullest server of the store uses, 0 to 1 and more. No value: it has no limit, or is not known yet. */
  readonly storeFill: Gauge;
  /** 1 while the store is so full that growth is refused; otherwise 0. */
  readonly storeRefusesGrowth: Gauge;
  /** Seconds for which devices will go on believing the issuer keys. No value: the operator has no root key. */
  readonly issuerCertificatesEnd: Gauge;
  /** Seconds until the certificate of the public port ends. No value: it has none. */
  readonly tlsCertificateEnd: Gauge;
  /** When all passed deadlines had been applied last, in seconds since 1970; at first the gateway's start. */
  readonly sweepCompleted: Gauge;
  /** Errors of connections to Redis. */
  readonly redisConnectionErrors: Counter;
}

/** Options of {@link createMetrics}. */
export interface MetricsOptions {
  /** Whether to measure CPU, memory and event loop of the process too. Default true. Tests turn it off, because its observers keep running. */
  processMetrics?: boolean;
}

/**
 * Creates a gateway's metrics in a separate registry, so that two gateways in one process do not mix. The `aggregator` of a gauge says what several
 * workers of a gateway make of theirs together: the default is the sum.
 */
export function createMetrics({ processMetrics = true }: MetricsOptions = {}): Metrics {
  const registry = new Registry();
  const registers = [registry];
  if (processMetrics) {
    collectDefaultMetrics({ register: registry });
    registerEventLoopLag(registry);
  }
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
    callsRefused: new Counter({
      name: "petak_rpc_share_refusals_total",
      help: "Calls refused with RATE_LIMITED because their caller had its share, by kind, or, of kind credentials, because its address had sent too many invalid ones.",
      labelNames: ["kind"],
      registers,
    }),
    signatureChecks: new Counter({
      name: "petak_signature_checks_total",
      help: "Signatures of request tokens and proofs that were verified.",
      registers,
    }),
    connections: new Gauge({ name: "petak_connections", help: "Open TCP connections.", registers }),
    connectionsClosed: new Counter({
      name: "petak_connections_closed_total",
      help: "Connections that the gateway closed to have room for others, by reason.",
      labelNames: ["reason"],
      registers,
    }),
    webhookAttempts: new Counter({
      name: "petak_webhook_attempts_total",
      help: "Attempts to deliver a webhook.",
      labelNames: ["outcome"],
      registers,
    }),
    spansLost: new Counter({
      name: "petak_spans_lost_total",
      help: "Spans that were not sent to the collector.",
      labelNames: ["reason"],
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
      aggregator: "max",
      registers,
    }),
    redisUp: new Gauge({
      name: "petak_redis_up",
      help: "1 while Redis responds, in a cluster all of its masters; otherwise 0.",
      aggregator: "min",
      registers,
    }),
    redisRejectsWrites: new Gauge({
      name: "petak_redis_rejects_writes",
      help: "1 while Redis responds but rejects writes, by reason.",
      labelNames: ["reason"],
      aggregator: "max",
      registers,
    }),
    storeFill: new Gauge({
      name: "petak_store_fill_ratio",
      help: "Part of its memory that the fullest Redis server uses.",
      aggregator: "max",
      registers,
    }),
    storeRefusesGrowth: new Gauge({
      name: "petak_store_refuses_growth",
      help: "1 while Redis is so full that calls which make it grow are refused; otherwise 0.",
      aggregator: "max",
      registers,
    }),
    issuerCertificatesEnd: new Gauge({
      name: "petak_issuer_certificates_end_seconds",
      help: "Seconds until the certificate of an issuer key ends, the first of those that devices must believe.",
      aggregator: "min",
      registers,
    }),
    tlsCertificateEnd: new Gauge({
      name: "petak_tls_certificate_end_seconds",
      help: "Seconds until the TLS certificate of the gateway's port ends.",
      aggregator: "min",
      registers,
    }),
    sweepCompleted: new Gauge({
      name: "petak_sweep_completed_timestamp_seconds",
      help: "When all passed deadlines had been applied last, in seconds since 1970.",
      aggregator: "min",
      registers,
    }),
    redisConnectionErrors: new Counter({
      name: "petak_redis_connection_errors_total",
      help: "Errors of connections to Redis.",
      registers,
    }),
  };
}
