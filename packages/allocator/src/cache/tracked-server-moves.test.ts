import { connectRedis, duplicateConnection, type RedisConnection } from "@petak/redis";
import { openRedisLink, type RedisLink, startTestServer, type TestServer } from "@petak/testkit";
import { Redis } from "ioredis";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createTrackedCache, type TrackedCache } from "./tracked-cache.ts";

const soon = { interval: 20 };
const key = "petak:any";

let servers: [before: TestServer, after: TestServer];
let link: RedisLink;
let writer: RedisConnection;
/** The listener, then the reader. */
let made: Redis[];
let cache: TrackedCache;
let others: Redis[];

beforeEach(async () => {
  servers = [await startTestServer(), await startTestServer()];
  link = await openRedisLink(servers[0].options);
  writer = connectRedis({ url: link.url }, { onError: () => undefined });
  await writer.connect();
  made = [];
  cache = createTrackedCache({
    writer,
    onError: () => undefined,
    connect(server) {
      const connection = duplicateConnection(server, { onError: () => undefined });
      made.push(connection);
      return connection;
    },
  });
  await expect.poll(() => cache.isReliable, soon).toBe(true);
});
afterEach(async () => {
  cache.stop();
  for (const connection of others) connection.disconnect();
  writer.disconnect();
  await link.stop();
  for (const server of servers) await server.stop();
});

it.each([
  ["listens", 0],
  ["reads", 1],
])("if only the connection that %s leads to another server, no untracked value is relied on", async (_does, moved) => {
  const [, after] = servers;
  // One of these clients has the id that the listener had at the other server.
  others = Array.from({ length: 50 }, () => new Redis(after.options));
  const [other] = others as [Redis];
  await Promise.all(others.map((connection, index) => connection.set(key, `${index}`)));
  await other.set(key, "old");
  link.leadTo(after.options);
  made[moved]?.disconnect(true);

  const mget = (connection: RedisConnection, keys: readonly string[]) => connection.mget([...keys]);
  const known = async () => {
    await cache.fetch([key], mget);
    return cache.isReliable ? cache.peek(key) : undefined;
  };
  // It is stable only when both connections lead to the server at the address.
  await expect.poll(known, soon).toBe("old");
  await other.set(key, "new");
  await expect.poll(async () => (await cache.fetch([key], mget))[0], soon).toBe("new");
});
