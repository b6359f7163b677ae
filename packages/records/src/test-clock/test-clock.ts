import type { Keys, RedisConnection } from "@petak/redis";

/** A clock that can be moved forward and otherwise advances with the system's clock. */
export interface TestClock {
  /** The time in ms since 1970. */
  now(): number;
  /**
   * Moves the clock forward. A time in the past is ignored. The offset is stored, since it must outlive the process: stored times are ahead of the system's clock.
   *
   * @param timeMs the new time, in ms since 1970
   */
  moveTo(timeMs: number): Promise<void>;
}

/**
 * Opens the test clock of a store. It starts at the system's time, or as far ahead of it as it was moved before.
 *
 * @param systemNow the system's clock, in ms since 1970
 */
export async function openTestClock(redis: RedisConnection, keys: Keys, systemNow: () => number): Promise<TestClock> {
  let aheadMs = Number((await redis.get(keys.testClockOffset())) ?? 0);
  const now = () => systemNow() + aheadMs;
  return {
    now,
    async moveTo(timeMs) {
      const wantedMs = Math.ceil(timeMs - systemNow());
      if (wantedMs <= aheadMs) return;
      await redis.set(keys.testClockOffset(), wantedMs);
      aheadMs = Math.max(aheadMs, wantedMs);
    },
  };
}
