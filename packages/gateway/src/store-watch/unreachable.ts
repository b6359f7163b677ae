import { commandTimeoutMs, dropUnresponsive, type FailingServer, isCommandTimeout, type RedisConnection } from "@petak/redis";
import type { Logger } from "../observability/logger.ts";
import { createOutage, seconds } from "./outage.ts";
import { outageFacts } from "./outage-facts.ts";
import { messageOf, notReadyMessage, unreachableCause } from "./store-trouble.ts";

/** Tracks and logs the periods in which Redis is unreachable. */
export interface UnreachableOutage {
  /** Whether an outage is open: Redis is unreachable, or was a moment ago. */
  readonly isOpen: boolean;
  /** Whether Redis was unreachable at the last check. */
  readonly isFailing: boolean;
  /** When the last outage ended, in ms. Minus infinity: there was none. */
  readonly endedMs: number;
  /** Records an error that may explain the outage. */
  suspect(error: Error): void;
  /** Records the result of a check: the servers that do not respond. */
  update(unresponsive: readonly FailingServer[]): void;
  /** Discards the suspected cause: Redis is reachable. */
  clear(): void;
  /** The cause and the remedy, as far as they are known. */
  explanation(): string;
}

export interface UnreachableOptions {
  redis: RedisConnection;
  /** Names the server in log lines. */
  address: string;
  logger: Logger;
  now: () => number;
  /** Whether the gateway reconnects on purpose, so that a short outage needs no warning. */
  isExpected: () => boolean;
}

/** How long Redis must be unreachable before it is reported, in ms: by then a few connection attempts have shown the cause. */
const reportAfterMs = 500;

/** The same while the gateway reconnects on purpose, in ms: calls are known to fail, and a machine with other work may take this long. */
const expectedReportAfterMs = 3000;

/** How long Redis must have responded before the outage is over, in ms. */
const steadyMs = 1000;

/** How long a new connection may take until its first command, in ms. If it takes longer, the server is loading its data. */
const readyWithinMs = 1000;

/** Starts tracking. */
export function createUnreachableOutage({ redis, address, logger, now, isExpected }: UnreachableOptions): UnreachableOutage {
  /** The first error that explains the outage, or else the first error. */
  let cause: Error | undefined;
  let servers: readonly string[] = [];
  let endedMs = Number.NEGATIVE_INFINITY;
  let connectedMs: number | undefined;
  /** Time of the first error, less the time-out if that is what it was. */
  let suspectedMs: number | undefined;

  const causeText = () => (cause && unreachableCause(cause)) ?? "it cannot be reached";
  const facts = (sinceMs: number) => outageFacts({ redis, address }, { reason: cause && messageOf(cause), servers }, sinceMs);
  const outage = createOutage({
    now,
    reportAfterMs: () => (isExpected() ? expectedReportAfterMs : reportAfterMs),
    steadyMs,
    onStarted: (sinceMs) =>
      logger.error(
        facts(sinceMs),
        `Redis is unreachable: ${causeText()}. Calls that need it get STORE_UNAVAILABLE; the gateway reconnects automatically`,
      ),
    onOngoing: (sinceMs) => logger.error(facts(sinceMs), `Redis is still unreachable: ${causeText()}`),
    onEnded: (sinceMs, untilMs, wasReported) => {
      const outage_ms = Math.round(untilMs - sinceMs);
      if (wasReported) logger.info({ redis: address, outage_ms }, `Redis is reachable again after ${seconds(outage_ms)}`);
      else if (isExpected()) logger.debug({ redis: address, outage_ms }, "reconnected to Redis");
      else logger.warn({ ...facts(sinceMs), outage_ms }, `Redis was unreachable for ${seconds(outage_ms)}: ${causeText()}`);
      clear();
      endedMs = now();
    },
  });

  function suspect(error: Error): void {
    if (cause === undefined || unreachableCause(error) !== undefined) cause = error;
    suspectedMs ??= now() - (isCommandTimeout(error) ? commandTimeoutMs : 0);
  }

  function clear(): void {
    cause = undefined;
    suspectedMs = undefined;
  }

  /** Detects a server that accepts connections and is not ready: no error says so. A server that hangs has caused a time-out instead. */
  function checkReadiness(): void {
    if (redis.status !== "connect") {
      connectedMs = undefined;
      return;
    }
    connectedMs ??= now();
    if (now() - connectedMs > readyWithinMs && !isCommandTimeout(cause)) cause = new Error(notReadyMessage);
  }

  return {
    get isOpen() {
      return outage.isOpen;
    },
    get isFailing() {
      return outage.isFailing;
    },
    get endedMs() {
      return endedMs;
    },
    suspect,
    update(unresponsive) {
      if (unresponsive.length === 0) {
        connectedMs = undefined;
        outage.works();
        return;
      }
      for (const { error } of unresponsive) suspect(error);
      servers = unresponsive.flatMap(({ server }) => (server === "" ? [] : [server]));
      if (unresponsive.some(({ error }) => isCommandTimeout(error))) dropUnresponsive(redis);
      checkReadiness();
      outage.fails(suspectedMs);
    },
    clear,
    explanation: () => (cause === undefined ? causeText() : `${causeText()} (${messageOf(cause)})`),
  };
}
