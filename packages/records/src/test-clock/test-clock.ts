import type { Keys, RedisConnection } from "@petak/redis";

/** A clock that is moved by hand and goes on by itself in between. It never goes back. */
export interface TestClock {
  /** The time in ms since 1970. */
  now(): number;
  /**
   * Moves the clock forward. A time that has passed already changes nothing. What the store was told outlives the process: its records have times that
   * the system's clock has not reached.
   *
   * @param timeMs the new time, in ms since 1970
   */
  moveTo(timeMs: number): Promise<void>;
}

/**
 * Opens the test clock of a store. It begins with the system's time, or as far ahead of it as it was when the last gateway ended.
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
