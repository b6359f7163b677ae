import { isCluster, type RedisConnection } from "@petak/redis";

/** Fields of a log line about an outage. */
export interface OutageFacts {
  redis: string;
  /** The failing servers of a cluster. A single server is named by `redis`. */
  servers?: readonly string[];
  reason?: string;
  since: string;
}

/**
 * Makes the fields of a log line about an outage.
 *
 * @param address names the server
 * @param reason message of the server or the client. Undefined: unknown
 * @param sinceMs when the outage began, in ms
 */
export function outageFacts(
  { redis, address }: { redis: RedisConnection; address: string },
  { reason, servers = [] }: { reason?: string | undefined; servers?: readonly string[] },
  sinceMs: number,
): OutageFacts {
  return {
    redis: address,
    ...(isCluster(redis) ? { servers } : {}),
    ...(reason === undefined ? {} : { reason }),
    since: new Date(sinceMs).toISOString(),
  };
}
