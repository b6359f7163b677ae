import { randomBase32 } from "@petak/protocol";
import type { Keys, RedisConnection } from "@petak/redis";

/** The audience of all gateways without a setting before there were audiences of stores: the same in every network. */
export const earlierAudience = "petak";

/** The audience of a store. */
export interface Audience {
  /** What this gateway requires. */
  readonly audience: string;
  /** What the store keeps. Other gateways require it unless their setting names another. */
  readonly stored: string;
}

/** Random characters of an audience: 80 bits, so that no two networks have the same. */
const randomLength = 16;

/**
 * Finds the audience that request tokens must name, and keeps it in the store: the configured one, else a random one. A store with participants but without an
 * audience is one of an earlier release, whose key files say `petak`; it keeps that.
 *
 * Call it before any participant is registered.
 *
 * @param configured the setting; empty: none
 */
export async function claimAudience(redis: RedisConnection, keys: Keys, configured: string): Promise<Audience> {
  const known = await redis.get(keys.audience());
  const stored = known ?? (await claim(redis, keys, configured));
  return { audience: configured === "" ? stored : configured, stored };
}

async function claim(redis: RedisConnection, keys: Keys, configured: string): Promise<string> {
  const isEarlier = (await redis.exists(keys.participants())) > 0;
  const own = configured !== "" ? configured : isEarlier ? earlierAudience : `petak-${randomBase32(randomLength)}`;
  return (await redis.set(keys.audience(), own, "NX", "GET")) ?? own;
}
