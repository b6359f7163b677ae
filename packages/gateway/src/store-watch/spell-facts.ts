import { isCluster, type RedisConnection } from "@petak/redis";

/** What the log says of a time in which something is wrong with Redis, beside the sentence about it. */
export interface SpellFacts {
  redis: string;
  /** Of a cluster; one server is its address. */
  servers?: readonly string[];
  reason?: string;
  since: string;
}

/**
 * Makes them.
 *
 * @param address What the log calls the server.
 * @param reason What the server said, or the client in place of it; undefined: nothing.
 * @param sinceMs When it began, in ms.
 */
export function spellFacts(
  { redis, address }: { redis: RedisConnection; address: string },
  { reason, servers = [] }: { reason?: string | undefined; servers?: readonly string[] },
  sinceMs: number,
): SpellFacts {
  return {
    redis: address,
    ...(isCluster(redis) ? { servers } : {}),
    ...(reason === undefined ? {} : { reason }),
    since: new Date(sinceMs).toISOString(),
  };
}
