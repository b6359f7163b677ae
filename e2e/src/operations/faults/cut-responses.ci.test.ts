import { setTimeout as pause } from "node:timers/promises";
import { openRedisLink, type RedisLink, roundsHere, startTestServer, type TestServer } from "@petak/testkit";
import { afterEach, beforeEach, expect, it } from "vitest";
import { buildCity, type City } from "./city.ts";
import { beginFaultRun, type FaultRun, faultTimeoutMs } from "./fault-run.ts";
import { until } from "./until.ts";

/** How many connections are cut; a few between two checks. */
const cuts = roundsHere({ short: 5, ci: 15, long: 400 });
const cutsPerCheck = 5;

let run: FaultRun;
let server: TestServer;
let link: RedisLink;
let city: City;

beforeEach(async () => {
  run = beginFaultRun("answers cut off");
  server = await startTestServer({ appendfsync: "always" });
  link = await openRedisLink({ path: server.options.path });
  city = await buildCity({ redis: { url: link.url }, gateways: [{}, {}], random: run.random });
});
afterEach(async () => {
  await city.stop();
  await link.stop();
  await server.stop();
});

it("a command whose response from Redis is cut off at any byte is repeated, and takes effect once", {
  timeout: faultTimeoutMs,
}, async () => {
  // Until a cut response belonged to a call that was waiting for it.
  while (link.cuts < cuts || (link.cuts < cuts + 100 && city.callers.counts.unanswered === 0)) {
    await city.during(async () => {
      for (let cut = 0; cut < cutsPerCheck; cut++) {
        await pause(run.random.int(0, 60));
        const before = link.cuts;
        // In the first bytes of a response, or far into a long one.
        link.cutResponseAfter(run.random.bool() ? run.random.int(0, 8) : run.random.int(0, 5000));
        await until("a response is cut off", () => link.cuts > before);
      }
    });
    run.saw(await city.check());
    run.progress(link.cuts, cuts);
  }
  run.did("answers cut off", link.cuts);
  run.did("steps answered", city.callers.counts.answers);
  run.did("attempts without an answer", city.callers.counts.unanswered);
  run.report();
  expect(city.callers.counts.unanswered).toBeGreaterThan(0);
});
