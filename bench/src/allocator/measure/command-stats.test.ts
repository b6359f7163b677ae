import { useRedis } from "@petak/testkit";
import { Redis } from "ioredis";
import { expect, onTestFinished, test } from "vitest";
import { commandTimes, parseCommandStats } from "./command-stats.ts";

const redis = useRedis();

test("the commands of a query count, each by itself, and those of the measuring do not", async () => {
  const client = new Redis({ ...redis.options });
  onTestFinished(() => client.disconnect());
  await client.mset({ a: "1", b: "2" });
  const { micros, calls } = await commandTimes(client, async () => {
    await client.mget("a", "b");
    await client.mget("a", "b");
    await client.get("a");
  });
  expect(calls).toEqual({ mget: 2, get: 1 });
  expect(micros).toBeGreaterThanOrEqual(0);
});

test("times are added up over commands", () => {
  const section = [
    "# Commandstats",
    "cmdstat_mget:calls=4,usec=10,usec_per_call=2.50,rejected_calls=0,failed_calls=0",
    "cmdstat_config|resetstat:calls=1,usec=70,usec_per_call=70.00,rejected_calls=0,failed_calls=0",
    "cmdstat_geosearch:calls=1,usec=13,usec_per_call=13.00,rejected_calls=0,failed_calls=0",
    "",
  ].join("\r\n");
  expect(parseCommandStats(section)).toEqual({ micros: 23, calls: { mget: 4, geosearch: 1 } });
});
