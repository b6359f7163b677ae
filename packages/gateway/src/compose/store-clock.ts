import { type RedisConnection, storeTimeMs } from "@petak/redis";
import type { Logger } from "../observability/logger.ts";

export interface StoreClockOptions {
  redis: RedisConnection;
  /** The gateway's own clock, in ms. */
  now: () => number;
  logger: Logger;
}

/** A clock that is never ahead of the store's, which all gateways share. */
export interface StoreClock {
  /** The time in ms. Minus infinity until the first comparison. */
  now(): number;
  stop(): void;
}

/** Interval of comparisons, in ms. Clocks drift by less than a ms in it. */
const compareIntervalMs = 10_000;

/** Delay of the next comparison after a failure, in ms. */
const retryIntervalMs = 1000;

/** Difference between the clocks above which a warning is logged, in ms: a tenth of what would be noticed at a door. */
const warnAboveMs = 5000;

/**
 * Follows the store's clock. A deadline must not be applied early by a gateway whose clock is ahead: it passes when both the gateway's and the store's
 * clock have reached it.
 */
export function followStoreClock({ redis, now, logger }: StoreClockOptions): StoreClock {
  let behindMs: number | undefined;
  let isWarned = false;
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;

  async function compare(): Promise<void> {
    let waitMs = compareIntervalMs;
    try {
      const storeMs = await storeTimeMs(redis);
      // The store's time was read before its response arrived, so this clock trails the store's and is never ahead.
      behindMs = storeMs - now();
      warnOnce(behindMs);
    } catch {
      // Other parts report an unreachable store.
      waitMs = retryIntervalMs;
    }
    if (isStopped) return;
    timer = setTimeout(() => void compare(), waitMs);
    timer.unref();
  }

  function warnOnce(skewMs: number): void {
    const isTooLarge = Math.abs(skewMs) > warnAboveMs;
    if (isTooLarge && !isWarned) {
      logger.warn({ gatewayAheadMs: Math.round(-skewMs) }, "the clocks of this gateway and of Redis differ; set both by NTP");
    }
    isWarned = isTooLarge;
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
