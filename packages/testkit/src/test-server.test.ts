import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { Redis } from "ioredis";
import { describe, expect, onTestFinished, test } from "vitest";
import { installedFlavours, startTestServer, type TestServer } from "./test-server.ts";

async function ask<T>(server: TestServer, question: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis({ ...server.options });
  try {
    return await question(redis);
  } finally {
    redis.disconnect();
  }
}

describe.each(await installedFlavours())("a test server (%s)", (flavour) => {
  test("is a real one, and deletes its data when it stops", async () => {
    const server = await startTestServer({ flavour });
    expect(server.flavour).toBe(flavour);
    expect(await ask(server, (redis) => redis.ping())).toBe("PONG");
    await server.stop();
    await server.stop();
    expect(existsSync(dirname(server.options.path))).toBe(false);
  });

  test("keeps its data and address after a crash and a restart", async () => {
    const server = await startTestServer({ flavour, appendfsync: "always" });
    onTestFinished(server.stop);
    const { url, pid } = server;
    await ask(server, (redis) => redis.set("parcel", "held"));
    await server.kill9();
    await server.restart();
    await server.restart();
    expect(server.pid).not.toBe(pid);
    expect(server.url).toBe(url);
    expect(await ask(server, (redis) => redis.get("parcel"))).toBe("held");
  });
});

test("the address is one that the client understands", async () => {
  await using server = await startTestServer();
  const redis = new Redis(server.url);
  expect(await redis.ping()).toBe("PONG");
  redis.disconnect();
});
