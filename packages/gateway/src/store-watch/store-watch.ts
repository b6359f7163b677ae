import { coalescedRuns, type Keys, type RedisConnection, serversRejectingWrites, unresponsiveServers } from "@petak/redis";
import type { LogFailure, Logger } from "../observability/logger.ts";
import type { Metrics } from "../observability/metrics.ts";
import { remindMs } from "./outage.ts";
import {
  isReplicasError,
  messageOf,
  rejectionAdvice,
  rejectionReasonIn,
  rejectionReasons,
  storeFailureIn,
  unreachableCause,
} from "./store-trouble.ts";
import { createUnreachableOutage } from "./unreachable.ts";
import { createWriteRejectionOutage } from "./write-rejection.ts";

/** At the start of a gateway, Redis was unreachable or rejected writes. The message names the server, the cause as far as it is known, and the remedy. */
export class StoreStartError extends Error {
  override readonly name = "StoreStartError";
}

export interface StoreWatchOptions {
  /** The connection that serves calls: it decides whether Redis is reachable. */
  redis: RedisConnection;
  keys: Keys;
  /** Names the server in log lines. */
  address: string;
  logger: Logger;
  metrics: Metrics;
  /** Whether as many replicas are connected as changes wait for. Default: they are. */
  hasEnoughReplicas?: () => boolean;
  /** The clock, in ms. Default: the system's. */
  now?: () => number;
}

/**
 * Logs outages of Redis for the operator: one line when an outage begins, one a minute while it goes on, and one when it is over, no matter which part of
 * the gateway meets it and how often.
 */
export interface StoreWatch {
  /**
   * Logs a failure in a part of the gateway. Failures of Redis are logged once for all parts, other errors as they are. A part that fails while Redis
   * responds to the rest is logged once a minute.
   */
  readonly logFailure: LogFailure;
  /** Records an error of a connection to Redis. */
  connectionFailed(error: Error): void;
  /** @throws {Error} if a server does not respond, with its name. */
  requireAnswers(): Promise<void>;
  /** Whether the server is a replica, or was a moment ago. */
  readonly isReplica: boolean;
  /** Whether Redis accepts writes, as far as is known. */
  readonly acceptsWrites: boolean;
  /** Explains an error by which a gateway could not start: a {@link StoreStartError}, or the error itself if it is not about Redis. */
  explain(error: unknown): unknown;
  /** Ends the watch. Nothing is logged afterwards. */
  stop(): void;
}

/** Interval between checks during an outage, in ms. */
const checkIntervalMs = 250;

/** How long after an outage parts of the gateway may still be reconnecting, in ms. */
const settleMs = 15_000;

/** Starts to watch. */
export function watchStore(options: StoreWatchOptions): StoreWatch {
  const { redis, keys, address, logger, metrics, hasEnoughReplicas = () => true, now = Date.now } = options;
  const rejection = createWriteRejectionOutage({ redis, address, logger, now });
  // The gateway drops its connection to a replica repeatedly, until the address leads to the master.
  const unreachable = createUnreachableOutage({ redis, address, logger, now, isExpected: () => rejection.isOpenFor("read_only") });
  /** When a part was last logged that failed while Redis responded to the rest. */
  const loggedAlone = new Map<string, number>();
  let isStopped = false;

  function updateMetrics(): void {
    metrics.redisUp.set(unreachable.isFailing ? 0 : 1);
    const { reasons } = rejection;
    for (const reason of rejectionReasons) metrics.redisRejectsWrites.set({ reason }, reasons.has(reason) ? 1 : 0);
  }

  const check = coalescedRuns(async () => {
    const unresponsive = await unresponsiveServers(redis);
    if (isStopped) return;
    unreachable.update(unresponsive);
    // An unreachable server does not say what it would reject.
    if (unresponsive.length === 0 && rejection.isOpen) {
      const servers = await serversRejectingWrites(redis, keys);
      if (isStopped) return;
      rejection.update(servers);
    }
    if (!unreachable.isOpen) rejection.updateReplicas(hasEnoughReplicas());
    updateMetrics();
  });

  /** Finds out whether Redis is unreachable, or only one part's connection to it has failed. */
  function suspect(part: string, error: Error, facts: Record<string, unknown>): void {
    unreachable.suspect(error);
    // The outage has been logged when it began.
    if (unreachable.isOpen) return;
    void check().then(() => {
      if (isStopped || unreachable.isOpen) return;
      unreachable.clear();
      const isRecent = now() - (loggedAlone.get(part) ?? Number.NEGATIVE_INFINITY) < remindMs;
      if (isRecent || now() - unreachable.endedMs < settleMs) return;
      loggedAlone.set(part, now());
      logger.warn(
        { redis: address, reason: messageOf(error), ...facts },
        `${part} failed although Redis responds to others; it is retried`,
      );
    });
  }

  function recordFailure(part: string, error: Error, facts: Record<string, unknown> = {}): void {
    if (isStopped) return;
    const reason = rejectionReasonIn(error);
    if (reason === undefined) {
      suspect(part, error, facts);
      return;
    }
    rejection.rejected(reason, error);
    updateMetrics();
  }

  const connectionFailed = (error: Error) => recordFailure("a connection to Redis", error);
  const onClose = () => connectionFailed(new Error("Connection is closed."));
  redis.on("close", onClose);
  const timer = setInterval(() => {
    if (unreachable.isOpen || rejection.isOpen || !hasEnoughReplicas()) void check();
  }, checkIntervalMs);
  timer.unref();
  updateMetrics();

  return {
    logFailure(part, error, facts) {
      // Missing replicas are logged by the checks, and changes that they did not confirm in time are sent again by the callers.
      if (isStopped || isReplicasError(error)) return;
      const failure = storeFailureIn(error);
      if (failure === undefined) logger.error({ err: error, ...facts }, part);
      else recordFailure(part, failure, facts);
    },
    connectionFailed,
    async requireAnswers() {
      const [first] = await unresponsiveServers(redis);
      if (first !== undefined) throw new Error(`${first.server || address} does not respond`, { cause: first.error });
    },
    explain(error) {
      const failure = storeFailureIn(error) ?? (error instanceof Error && unreachableCause(error) !== undefined ? error : undefined);
      if (failure === undefined) return error;
      const reason = rejectionReasonIn(failure);
      if (reason === undefined) unreachable.suspect(failure);
      const why =
        reason === undefined
          ? `is unreachable: ${unreachable.explanation()}`
          : `rejects writes: ${rejectionAdvice[reason]} (${messageOf(failure)})`;
      return new StoreStartError(`Redis, ${address}, ${why}.`, { cause: error });
    },
    get isReplica() {
      return rejection.isOpenFor("read_only");
    },
    get acceptsWrites() {
      return rejection.reasons.size === 0;
    },
    stop() {
      isStopped = true;
      clearInterval(timer);
      redis.off("close", onClose);
    },
  };
}
