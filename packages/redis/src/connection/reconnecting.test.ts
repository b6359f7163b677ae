import { onThisMachine, openRedisLink, searchPathForSlowStart, startTestServer, tempDir } from "@petak/testkit";
import { expect, it } from "vitest";
import { connectRedis } from "./connect-redis.ts";

it("a connection is ready soon after a server has finished loading its data", async () => {
  await using server = await startTestServer({ searchPath: await searchPathForSlowStart(await tempDir(), 300) });
  const redis = connectRedis({ socketPath: server.options.path }, { onError: () => undefined });
  await redis.connect();
  await Promise.all(Array.from({ length: 8000 }, (_, number) => redis.set(`petak:${number}`, "1")));
  // The server estimates its remaining loading time by bytes: while it loads small values, the estimate is some hundred times too long.
  await redis.set("petak:large", Buffer.alloc(20_000_000));
  await server.restart();
  const beganMs = performance.now();
  await expect.poll(() => redis.status, { interval: 10 }).toBe("ready");
  redis.disconnect();
  expect(performance.now() - beganMs).toBeLessThan(onThisMachine(3000));
});

it("a connection is retried at least every second, however long the server has been unreachable", async () => {
  await using server = await startTestServer();
  const redis = connectRedis({ socketPath: server.options.path }, { onError: () => undefined });
  await redis.connect();
  const delaysMs: number[] = [];
  redis.on("reconnecting", (delayMs: number) => void delaysMs.push(delayMs));
  await server.kill9();
  await expect.poll(() => delaysMs.length).toBeGreaterThan(10);
  expect(Math.max(...delaysMs)).toBeLessThanOrEqual(1000);
  redis.disconnect();
});

it("a connection to a server demoted to replica reconnects to the new master after the first rejected write", async () => {
  await using before = await startTestServer();
  await using after = await startTestServer();
  const link = await openRedisLink(before.options);
  const errors: string[] = [];
  const redis = connectRedis({ url: link.url }, { onError: ({ message }) => errors.push(message) });
  await redis.connect();
  await redis.replicaof("127.0.0.1", 1);
  link.leadTo(after.options);
  await expect(redis.set("petak:any", "1")).rejects.toThrow(/^READONLY /);
  expect(errors[0]).toMatch(/^READONLY /);
  await expect.poll(() => redis.set("petak:any", "2").catch(() => "refused")).toBe("OK");
  redis.disconnect();
  await link.stop();
});

it("a connection to a replica does not reconnect repeatedly while its address still leads to the replica", async () => {
  await using server = await startTestServer();
  const redis = connectRedis({ socketPath: server.options.path }, { onError: () => undefined });
  await redis.connect();
  await redis.replicaof("127.0.0.1", 1);
  let closes = 0;
  redis.on("close", () => closes++);
  await expect(redis.set("petak:any", "1")).rejects.toThrow(/^READONLY /);
  await expect.poll(() => redis.get("petak:any").catch(() => "broken")).toBeNull();
  for (let times = 0; times < 100; times++) await expect(redis.set("petak:any", "1")).rejects.toThrow(/^READONLY /);
  await expect(redis.get("petak:any")).resolves.toBeNull();
  expect(closes).toBe(1);
  redis.disconnect();
});
