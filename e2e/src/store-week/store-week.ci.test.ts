import { createRandom, roundsHere, testSeed, useRedis } from "@petak/testkit";
import { expect, it } from "vitest";
import { day } from "./days.ts";
import { heal } from "./heal.ts";
import { faultsIn } from "./oracle.ts";
import { see } from "./see.ts";
import { startStoreNetwork } from "./store-network.ts";
import { Week } from "./week.ts";

const redis = useRedis();
const weeks = roundsHere({ short: 1, ci: 1, long: 20 });
const days = roundsHere({ short: 2, ci: 2, long: 7 });

it("a week of two stores without links, tablets and power leaves every parcel, code, place and count explained", {
  timeout: weeks * 300_000,
}, async () => {
  const seed = testSeed();
  for (let index = 0; index < weeks; index += 1) {
    const random = createRandom(seed + index);
    const around = await startStoreNetwork(redis, { keyPrefix: `${redis.keyPrefix}store-week-${index}`, random });
    const week = new Week(around, random);
    try {
      for (let left = days; left > 0; left -= 1) await day(week);
      await heal(week);
      expect(week.truth.faults).toEqual([]);
      await expect.poll(async () => faultsIn(await see(week)), { timeout: 60_000, interval: 500 }).toEqual([]);
    } catch (error) {
      process.stdout.write(`seed ${seed + index}\n${week.said.join("\n")}\n`);
      throw error;
    } finally {
      await around.stop();
    }
  }
});
