import type { Redis } from "ioredis";
import { isCluster, type RedisConnection } from "../connection/connect-redis.ts";
import type { Keys } from "../keys.ts";

/** Greatest number of hash tags tried. A master serves thousands of slots, so one of the first few tags lies in one of them. */
const hashTagsTried = 10_000;

/** A replication marker that lies in a slot of the given server. */
export function replicationMarkerOn(connection: RedisConnection, keys: Keys, server: Redis): string {
  if (!isCluster(connection)) return keys.replicationMarker("");
  for (let number = 0; ; number += 1) {
    const marker = keys.replicationMarker(String(number));
    if (number === hashTagsTried || connection.masterOf(marker) === server) return marker;
  }
}
