import { testSeed, useRedis } from "@petak/testkit";
import { expect, it } from "vitest";
import { drawTown, hourMs, outOfOrder, runChecked, startTinyCity } from "./testing/tiny-city.ts";

const redis = useRedis();

it("a week of a city breaks no rule of the oracle", async () => {
  const city = await startTinyCity(redis, { sites: 25, places: 8, agentSyncIntervalMs: hourMs });
  const { violations } = await runChecked(city, drawTown(testSeed(), 150, 7 * 24, {}, 2000), outOfOrder, 300_000);
  expect(violations).toEqual([]);
  await city.network.stop();
}, 1_200_000);
