import { Redis } from "ioredis";
import { describe, expect, test } from "vitest";
import { useRedis } from "./use-redis.ts";

const redis = useRedis();
let earlierPrefix = "";

test("a test has its own keys", async () => {
  earlierPrefix = redis.keyPrefix;
  const own = new Redis({ ...redis.options, keyPrefix: redis.keyPrefix });
  for (let index = 0; index < 2_500; index++) void own.set(`{8365ab}:key:${index}`, "1");
  await own.ping();
  own.disconnect();
  expect(await redis.client.dbsize()).toBe(2_500);
});

test("they are deleted before the next one starts", async () => {
  expect(redis.keyPrefix).not.toBe(earlierPrefix);
  expect(await redis.client.dbsize()).toBe(0);
});

describe("a second user of the same kind of server", () => {
  const same = useRedis();

  test("shares it, with another key prefix", () => {
    expect(same.url).toBe(redis.url);
    expect(same.keyPrefix).not.toBe(redis.keyPrefix);
  });
});

describe("a user of another kind", () => {
  const other = useRedis({ appendfsync: "always" });

  test("has another server", async () => {
    expect(other.url).not.toBe(redis.url);
    expect(await other.client.config("GET", "appendfsync")).toEqual(["appendfsync", "always"]);
  });
});

const misplaced = (() => {
  try {
    return redis.url;
  } catch (error) {
    return String(error);
  }
})();

test("reading it before the server runs throws", () => {
  expect(misplaced).toContain("only during tests");
});
