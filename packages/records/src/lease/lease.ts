import type { RedisConnection } from "@petak/redis";
import { createScript } from "../lua/create-script.ts";

/** The result of asking for a lease: `acquired` it was free, `renewed` the caller had it already, `unavailable` somebody else has it. */
export type LeaseOutcome = "acquired" | "renewed" | "unavailable";

const script = createScript("lease");

/**
 * Acquires or renews a lease.
 *
 * @param token identifies the holder
 * @param ttlMs how long the lease lasts, in ms by the server's clock
 */
export async function takeLease(redis: RedisConnection, key: string, token: string, ttlMs: number): Promise<LeaseOutcome> {
  const [tag] = await script(redis, [key], [token, ttlMs]);
  return tag as LeaseOutcome;
}

/** Releases a lease. Does nothing if somebody else has it. */
export async function releaseLease(redis: RedisConnection, key: string, token: string): Promise<void> {
  await script(redis, [key], [token, 0]);
}
