import { useRedis } from "@petak/testkit";
import { expect, it } from "vitest";
import { noFaults } from "../actors/parameters.ts";
import { judge } from "../oracle/testing/stream.ts";
import { headerOf, hourMs, intentionOf, runTiny, startTinyCity } from "./testing/tiny-city.ts";

const redis = useRedis();

it("a technician frees doors whose locks have failed, so that they are used again", async () => {
  const city = await startTinyCity(redis, { sites: 1, places: 1, agentSyncIntervalMs: hourMs });
  // One after the other, at the only place into which they fit.
  const large = { purpose: "RETURN", collectBy: "RECALL", heightMm: 300, widthMm: 300, depthMm: 300 } as const;
  const facts = { ...large, siteRef: "site-0", depositAfterMs: hourMs, stayMs: hourMs };
  const intentions = [1, 2, 3, 4, 5, 6].map((id) => intentionOf(id, id * 12 * hourMs, facts));
  const faults = { ...noFaults, jammedDoors: 0.8, repairMs: hourMs / 4 };
  const actors = { tries: 50, tryAgainMs: hourMs / 2 };
  const { seen } = await runTiny(city, { header: headerOf(80), intentions }, { faults, actors });
  await city.network.stop();
  expect(judge(seen, { isAlone: true })).toEqual([]);
  const opened = seen.filter((one) => one.kind === "door").flatMap(({ act, opened: isOpened }) => (isOpened ? [act] : []));
  expect(opened).toContain("SERVICE");
  expect(opened.slice(opened.indexOf("SERVICE"))).toContain("DEPOSIT");
});
