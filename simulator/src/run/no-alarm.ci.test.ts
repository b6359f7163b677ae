import { testSeed, useRedis } from "@petak/testkit";
import { expect, it } from "vitest";
import { noFaults } from "../actors/parameters.ts";
import { judge } from "../oracle/testing/stream.ts";
import { drawTown, hourMs, runTiny, startTinyCity } from "./testing/tiny-city.ts";

const redis = useRedis();

/** Everything within some hours, so that a run is short. */
const soon = {
  deliverAfterMs: [hourMs, 3 * hourMs],
  bringAfterMs: [600_000, 2 * hourMs],
  pickUpAfterMs: [hourMs, 2 * hourMs],
  stayMedianMs: hourMs,
  stayP90Ms: 2 * hourMs,
  cancelShare: 0.15,
  redirectShare: 0.1,
} as const;

it.each([
  ["", noFaults],
  [
    ", where terminals fail",
    { ...noFaults, offlinePerDay: 500, offlineMs: 2000, powerLossPerDay: 500, jammedDoors: 0.1, blindSensors: 0.05 },
  ],
])("a run by the wall clock, whose calls overlap, breaks no rule of the oracle%s", async (_, faults) => {
  const seed = testSeed();
  const city = await startTinyCity(redis, { sites: 4, places: 2, agentSyncIntervalMs: 1000 });
  const pace = { clock: "wall", speed: 1200 } as const;
  const { seen } = await runTiny(city, drawTown(seed, 250, 8, soon), { pace, faults: { ...faults, seed } });
  expect(judge(seen, { isAlone: true, hasBlindSensors: faults.blindSensors > 0 })).toEqual([]);
  expect(seen.some(({ kind }) => kind === "given")).toBe(true);
  await city.network.stop();
});
