import type { Redis } from "ioredis";
import { isCluster, type RedisConnection } from "../connection/connect-redis.ts";
import type { Keys } from "../keys.ts";

/** Tags that are looked at for one in a slot of a server: with thousands of slots each, one of the first few is. */
const probedTags = 10_000;

/** A key for marks in any slot of a server. */
export function ownMark(connection: RedisConnection, keys: Keys, server: Redis): string {
  if (!isCluster(connection)) return keys.durabilityMark("");
  for (let number = 0; ; number += 1) {
    const mark = keys.durabilityMark(String(number));
    if (number === probedTags || connection.masterOf(mark) === server) return mark;
  }
}
