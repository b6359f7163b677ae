import type { RedisConnection } from "@petak/redis";
import { describe, expect, it } from "vitest";
import { Crash } from "./crashing.ts";
import { atEveryDeath, dies } from "./deaths.ts";
import { useRedis } from "./use-redis.ts";

const redis = useRedis();

/** Two commands, and no more after the one at which it dies. */
async function countTwice(connection: RedisConnection): Promise<void> {
  for (let count = 0; count < 2; count += 1) await connection.incr(`${redis.keyPrefix}count`);
}

describe("atEveryDeath", () => {
  it("crashes before and after each command in turn, and ends without a crash", async () => {
    const connection = redis.client;
    const seen: unknown[] = [];
    await atEveryDeath({ connection, commandsMin: 2, hasBothMoments: true }, async (dying, { atCommand, isDone }) => {
      await connection.del(`${redis.keyPrefix}count`);
      const hasDied = await dies(countTwice(dying));
      seen.push([atCommand, isDone, hasDied, Number(await connection.get(`${redis.keyPrefix}count`))]);
      return hasDied;
    });
    expect(seen).toEqual([
      [1, false, true, 0],
      [1, true, true, 1],
      [2, false, true, 1],
      [2, true, true, 2],
      [3, false, false, 2],
      [3, true, false, 2],
    ]);
  });

  it("crashes once at each command in the shorter runs, alternately before and after it", async () => {
    const seen: unknown[] = [];
    await atEveryDeath({ connection: redis.client, commandsMin: 2, hasBothMoments: false }, async (dying, { atCommand, isDone }) => {
      seen.push([atCommand, isDone]);
      return await dies(countTwice(dying));
    });
    expect(seen).toEqual([
      [1, false],
      [2, true],
      [3, false],
    ]);
  });

  it("rejects if there were too few commands", async () => {
    const work = async (dying: RedisConnection) => await dies(countTwice(dying));
    await expect(atEveryDeath({ connection: redis.client, commandsMin: 3 }, work)).rejects.toThrow(
      "there were 2 commands to crash at; at least 3 are required",
    );
  });
});

describe("dies", () => {
  it("distinguishes a crash from success and from other errors", async () => {
    expect(await dies(Promise.reject(new Crash()))).toBe(true);
    expect(await dies(Promise.resolve())).toBe(false);
    await expect(dies(Promise.reject(new TypeError("another")))).rejects.toThrow(TypeError);
  });
});
