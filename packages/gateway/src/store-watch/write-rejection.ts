import { type FailingServer, isCluster, type RedisConnection } from "@petak/redis";
import type { Logger } from "../observability/logger.ts";
import { createOutage, type Outage, seconds } from "./outage.ts";
import { outageFacts } from "./outage-facts.ts";
import { messageOf, type RejectionReason, rejectionAdvice, rejectionReasonIn, rejectionReasons } from "./store-trouble.ts";

/** Tracks and logs the periods in which Redis responds but rejects writes. */
export interface WriteRejectionOutage {
  /** Whether an outage is open: writes are rejected for any reason, or were a moment ago. */
  readonly isOpen: boolean;
  /** The same for one reason. */
  isOpenFor(reason: RejectionReason): boolean;
  /** The reasons for which writes were rejected at the last check. */
  readonly reasons: ReadonlySet<RejectionReason>;
  /** Records that Redis has rejected a write. */
  rejected(reason: RejectionReason, error: Error): void;
  /** Records the result of a check: the servers that reject writes. */
  update(rejecting: readonly FailingServer[]): void;
  /** Records whether as many replicas are connected as writes wait for. */
  updateReplicas(areEnough: boolean): void;
}

export interface WriteRejectionOptions {
  redis: RedisConnection;
  /** Names the server in log lines. */
  address: string;
  logger: Logger;
  now: () => number;
}

/** How long a server of a cluster must reject writes before it is reported, in ms: by then it is known which one. A single server is reported at once. */
const memberReportAfterMs = 200;

/** How long replicas may be missing before it is reported, in ms: after a start or a reconnection they are found again within one check. */
const replicasReportAfterMs = 3000;

/** How long writes must have been accepted before the outage is over, in ms. Near a limit they are accepted and rejected by turns. */
const steadyMs = 3000;

interface LastRejection {
  reason: string;
  servers: readonly string[];
}

/** Starts tracking. */
export function createWriteRejectionOutage({ redis, address, logger, now }: WriteRejectionOptions): WriteRejectionOutage {
  const last = new Map<RejectionReason, LastRejection>();

  function outageFor(reason: RejectionReason, reportAfterMs: number, errorReasons: string): Outage {
    const advice = rejectionAdvice[reason];
    const facts = (sinceMs: number) => outageFacts({ redis, address }, last.get(reason) ?? {}, sinceMs);
    return createOutage({
      now,
      reportAfterMs: () => reportAfterMs,
      steadyMs,
      onStarted: (sinceMs) =>
        logger.error(facts(sinceMs), `Redis rejects writes: ${advice}. Changes get ${errorReasons}; searches and other reads work`),
      onOngoing: (sinceMs) => logger.error(facts(sinceMs), `Redis still rejects writes: ${advice}`),
      onEnded: (sinceMs, untilMs, wasReported) => {
        const outage_ms = Math.round(untilMs - sinceMs);
        if (wasReported) logger.info({ redis: address, outage_ms }, `Redis accepts writes again after ${seconds(outage_ms)}`);
        else logger.warn({ ...facts(sinceMs), outage_ms }, `Redis rejected writes for ${seconds(outage_ms)}: ${advice}`);
        last.delete(reason);
      },
    });
  }

  const reportAfterMs = isCluster(redis) ? memberReportAfterMs : 0;
  const outages = new Map(
    rejectionReasons.map((reason) => [reason, outageFor(reason, reportAfterMs, reason === "memory" ? "STORE_FULL" : "STORE_UNAVAILABLE")]),
  );
  /** Fewer replicas than a write waits for: the server would accept the write, but the gateway refuses it. */
  const missingReplicas = outageFor("replicas", replicasReportAfterMs, "REPLICAS_UNAVAILABLE or DURABILITY_UNCONFIRMED");

  return {
    get isOpen() {
      return missingReplicas.isOpen || [...outages.values()].some(({ isOpen }) => isOpen);
    },
    isOpenFor: (reason) => outages.get(reason)?.isOpen === true,
    get reasons() {
      const reasons = new Set(rejectionReasons.filter((reason) => outages.get(reason)?.isFailing === true));
      if (missingReplicas.isFailing) reasons.add("replicas");
      return reasons;
    },
    rejected(reason, error) {
      last.set(reason, { reason: messageOf(error), servers: last.get(reason)?.servers ?? [] });
      outages.get(reason)?.fails();
    },
    update(rejecting) {
      for (const [reason, outage] of outages) {
        const own = rejecting.filter(({ error }) => rejectionReasonIn(error) === reason);
        const [first] = own;
        if (first === undefined) {
          outage.works();
        } else {
          last.set(reason, { reason: messageOf(first.error), servers: own.map(({ server }) => server) });
          outage.fails();
        }
      }
    },
    updateReplicas(areEnough) {
      if (areEnough) missingReplicas.works();
      else missingReplicas.fails();
    },
  };
}
