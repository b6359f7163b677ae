import { connectRedis, pingAll } from "@petak/redis";
import { fillDisk, freeDisk, searchPathForFullDisk, startTestServer, type TestServer, tempDir } from "@petak/testkit";
import type { Redis } from "ioredis";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createTrackedCache } from "./tracked-cache.ts";

let server: TestServer;
let redis: Redis;

beforeEach(async () => {
  server = await startTestServer({ searchPath: await searchPathForFullDisk(await tempDir()) });
  redis = connectRedis({ socketPath: server.options.path }, { onError: () => undefined });
  await redis.connect();
});
afterEach(async () => {
  redis.disconnect();
  await freeDisk(server);
  await server.stop();
});

/** Resolves when the server has noticed that it cannot write; from then on it rejects writes, and PING with them. */
async function fill(): Promise<void> {
  await fillDisk(server, 0);
  await expect.poll(() => redis.set("any", "1").catch(({ message }: Error) => message)).toMatch(/^MISCONF /);
}

it("a server whose disk is full counts as answering: it rejects writes and still reads", async () => {
  await fill();
  await expect(redis.ping()).rejects.toThrow(/^MISCONF /);
  await pingAll(redis);
  await expect(redis.get("any")).resolves.toBe("1");
});

it("values cached from a server whose disk is full stay valid", async () => {
  let nowMs = 0;
  const errors: Error[] = [];
  const cache = createTrackedCache({ writer: redis, onError: (error) => void errors.push(error), now: () => nowMs });
  await expect.poll(() => cache.isReliable).toBe(true);
  await fill();
  nowMs = 10_000;
  await expect.poll(() => cache.isReliable).toBe(true);
  expect(errors).toEqual([]);
  cache.stop();
});
