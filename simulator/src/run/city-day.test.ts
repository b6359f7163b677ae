import { testSeed, useRedis } from "@petak/testkit";
import { expect, it } from "vitest";
import { countBy, drawTown, hourMs, outOfOrder, runChecked, startTinyCity } from "./testing/tiny-city.ts";

const redis = useRedis();

it("a day of a small city, with terminals that fail, breaks no rule of the oracle", async () => {
  const city = await startTinyCity(redis, { sites: 8, places: 3, agentSyncIntervalMs: hourMs });
  const { seen, ends, violations } = await runChecked(city, drawTown(testSeed(), 60, 24), outOfOrder, 600_000);
  expect(violations).toEqual([]);
  expect(countBy(ends, ({ end }) => end)).not.toHaveProperty("unfinished");
  const doors = countBy(
    seen.filter((one) => one.kind === "door"),
    ({ opened, offline }) => `${opened ? "opened" : "refused"} ${offline ? "offline" : "online"}`,
  );
  expect(doors).toMatchObject({ "opened online": expect.any(Number), "opened offline": expect.any(Number) });
  await city.network.stop();
}, 300_000);
