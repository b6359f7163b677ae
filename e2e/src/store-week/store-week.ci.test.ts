import { createRandom, roundsHere, testSeed, useRedis } from "@petak/testkit";
import { expect, it } from "vitest";
import { day } from "./days.ts";
import { heal } from "./heal.ts";
import { faultsIn } from "./oracle.ts";
import { see } from "./see.ts";
import { startStoreNetwork } from "./store-network.ts";
import { Week } from "./week.ts";

const redis = useRedis();
// In the long runs only: of some ten seeds two end with a hand-over of which neither label nor place is known any more, and it is not yet known whether that is
// the agent's fault or the test's.
const weeks = roundsHere({ short: 0, ci: 0, long: 20 });
const days = 7;

it.skipIf(weeks === 0)(
  "a week of two stores without links, tablets and power leaves every parcel, code, place and count explained",
  {
    timeout: weeks * 300_000,
  },
  async () => {
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
  },
);
