import { isCluster, type RedisConnection } from "@petak/redis";

/** The names of all keys of a pattern, on whichever server they are. */
export async function keysLike(redis: RedisConnection, pattern: string): Promise<string[]> {
  if (!isCluster(redis)) return await redis.keys(pattern);
  return (await Promise.all(redis.nodes("master").map((node) => node.keys(pattern)))).flat();
}
