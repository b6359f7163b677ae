import type { Config, MetricsSnapshot, ServerAddress } from "@petak/gateway";

/** What a gateway's first process tells a worker. */
export type ToWorker =
  /** What to serve. Comes once, first. */
  | { kind: "serve"; worker: number; config: Config; cwd: string }
  /** Answer with a report of the same number. */
  | { kind: "report"; number: number }
  /** Read the files of the port's certificate. */
  | { kind: "reload" }
  /** Complete the calls in flight, and end. */
  | { kind: "stop" };

/** What a worker tells the first process. */
export type FromWorker =
  /** It accepts calls. */
  | { kind: "listening"; address: ServerAddress; url: string }
  /** It cannot serve, or must not any longer, and ends. */
  | { kind: "failed"; message: string; reason: string }
  | { kind: "report"; number: number; report: WorkerReport };

/** How a worker is. */
export interface WorkerReport {
  metrics: MetricsSnapshot;
  /** The answer of `/readyz`. */
  readiness: { status: number; page: Readiness };
}

/** The page `/readyz`. */
export interface Readiness {
  status: string;
  [name: string]: unknown;
}
