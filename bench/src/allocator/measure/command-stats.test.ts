import { useRedis } from "@petak/testkit";
import { Redis } from "ioredis";
import { expect, onTestFinished, test } from "vitest";
import { commandTimes, parseCommandTimes, sumOf } from "./command-stats.ts";

const redis = useRedis();

test("commands are counted with their time, except those of the measurement itself", async () => {
  const client = new Redis({ ...redis.options });
  onTestFinished(() => client.disconnect());
  const key = `${redis.keyPrefix}key`;
  await client.set(key, "before");
  const { micros, scriptMicros, calls, keysRead } = await commandTimes(client, async () => {
    await client.mget(key, `${key}2`, `${key}3`);
    await client.mget(key);
    await client.set(key, "value");
    await client.ping();
  });
  expect(calls).toEqual({ mget: 2, set: 1 });
  expect(keysRead).toBe(4);
  expect(micros).toBeGreaterThan(0);
  expect(scriptMicros).toBe(0);
});

test("a script's time includes the commands that it calls", async () => {
  const client = new Redis({ ...redis.options });
  onTestFinished(() => client.disconnect());
  const many = `for i = 1, 20000 do redis.call('SET', KEYS[1], i) end`;
  const { micros, scriptMicros, calls } = await commandTimes(client, async () => {
    await client.eval(many, 1, `${redis.keyPrefix}key`);
  });
  expect(calls).toEqual({ eval: 1, set: 20_000 });
  expect(scriptMicros).toBeGreaterThan(micros / 2);
});

test("times are summed over commands and over intervals", () => {
  const section = [
    "# Commandstats",
    "cmdstat_mget:calls=4,usec=10,usec_per_call=2.50,rejected_calls=0,failed_calls=0",
    "cmdstat_config|resetstat:calls=1,usec=70,usec_per_call=70.00,rejected_calls=0,failed_calls=0",
    "cmdstat_geosearch:calls=1,usec=13,usec_per_call=13.00,rejected_calls=0,failed_calls=0",
    "cmdstat_evalsha:calls=2,usec=40,usec_per_call=20.00,rejected_calls=0,failed_calls=0",
    "# Stats",
    "keyspace_hits:12",
    "keyspace_misses:3",
    "",
  ].join("\r\n");
  const times = parseCommandTimes(section);
  expect(times).toEqual({ micros: 63, scriptMicros: 40, calls: { mget: 4, geosearch: 1, evalsha: 2 }, keysRead: 15 });
  const other = { micros: 1, scriptMicros: 0, calls: { mget: 1 }, keysRead: 1 };
  expect(sumOf([times, other])).toEqual({ micros: 64, scriptMicros: 40, calls: { mget: 5, geosearch: 1, evalsha: 2 }, keysRead: 16 });
});
