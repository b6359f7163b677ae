import { createRandom, testSeed, useRedis } from "@petak/testkit";
import { expect, it } from "vitest";
import { mutations } from "../oracle/testing/mutations.ts";
import { judge, rulesBroken } from "../oracle/testing/stream.ts";
import { drawTown, hourMs, runTiny, startTinyCity } from "./testing/tiny-city.ts";

const redis = useRedis();
const options = { isAlone: true };

it("each fault that is put into what was observed of a real run is found, and nothing without one", async () => {
  const random = createRandom(testSeed());
  const city = await startTinyCity(redis, { sites: 3, places: 2 });
  const soon = {
    deliverAfterMs: [hourMs, 6 * hourMs],
    bringAfterMs: [600_000, 4 * hourMs],
    stayMedianMs: 2 * hourMs,
    stayP90Ms: 5 * hourMs,
  } as const;
  const { seen } = await runTiny(city, drawTown(testSeed(), 150, 10, soon));
  await city.network.stop();
  expect(judge(seen, options)).toEqual([]);
  // These sites are always open.
  for (const { what, breaks, make } of mutations.filter(({ breaks }) => !breaks.includes("offered-closed"))) {
    for (let round = 0; round < 15; round++) {
      const changed = make(seen, random);
      expect(changed, what).toBeDefined();
      expect(
        rulesBroken(changed ?? [], options).filter((rule) => breaks.includes(rule)),
        what,
      ).not.toEqual([]);
    }
  }
});
