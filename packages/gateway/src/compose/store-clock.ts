import { type RedisConnection, storeTimeMs } from "@petak/redis";
import type { Logger } from "../observability/logger.ts";

/** What the store's clock needs. */
export interface StoreClockOptions {
  redis: RedisConnection;
  /** The gateway's own clock, in ms. */
  now: () => number;
  logger: Logger;
}

/** A clock that is never ahead of the store's, which all gateways share. */
export interface StoreClock {
  /** What it shows, in ms; before it was ever compared, a time before all others. */
  now(): number;
  stop(): void;
}

/** How often it is compared, in ms: clocks drift by less than a ms meanwhile. */
const compareIntervalMs = 10_000;

/** How soon it is compared again where the store did not answer, in ms. */
const againIntervalMs = 1000;

/** By how much the two may differ before somebody is told, in ms: a tenth of what would be noticed at a door. */
const toldAboveMs = 5000;

/**
 * Follows the store's clock. What ends by the clock must not end early because one of several gateways is ahead of the others: it is ended when the
 * gateway and the store agree that its time is over.
 */
export function followStoreClock({ redis, now, logger }: StoreClockOptions): StoreClock {
  let behindMs: number | undefined;
  let isTold = false;
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;

  async function compare(): Promise<void> {
    let waitMs = compareIntervalMs;
    try {
      const storeMs = await storeTimeMs(redis);
      // It was read before the answer came, so that this clock trails the store's and is never ahead.
      behindMs = storeMs - now();
      tell(behindMs);
    } catch {
      // What cannot be reached is told by those who need it more.
      waitMs = againIntervalMs;
    }
    if (isStopped) return;
    timer = setTimeout(() => void compare(), waitMs);
    timer.unref();
  }

  function tell(skewMs: number): void {
    const isFar = Math.abs(skewMs) > toldAboveMs;
    if (isFar && !isTold) {
      logger.warn({ gatewayAheadMs: Math.round(-skewMs) }, "the clocks of this gateway and of Redis differ; set both by NTP");
    }
    isTold = isFar;
  }

  void compare();
  return {
    now: () => (behindMs === undefined ? Number.NEGATIVE_INFINITY : now() + Math.min(0, behindMs)),
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
