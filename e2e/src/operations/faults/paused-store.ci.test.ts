import { setTimeout as pause } from "node:timers/promises";
import { roundsHere, startTestServer, type TestServer } from "@petak/testkit";
import { afterEach, beforeEach, expect, it } from "vitest";
import { buildCity, type City } from "./city.ts";
import { beginFaultRun, type FaultRun, faultTimeoutMs } from "./fault-run.ts";

const pauses = roundsHere({ short: 1, ci: 2, long: 25 });

/** Longer and shorter than a command's timeout (2 s), and than the period for which the index cache is trusted (0.8 s). */
const pauseMs = { least: 300, most: 6000 };

let run: FaultRun;
let server: TestServer;
let city: City;

beforeEach(async () => {
  run = beginFaultRun("Redis paused");
  server = await startTestServer({ appendfsync: "always" });
  city = await buildCity({ redis: { socketPath: server.options.path }, gateways: [{}, {}], random: run.random });
});
afterEach(async () => {
  process.kill(server.pid, "SIGCONT");
  await city.stop();
  await server.stop();
});

it("a Redis that is paused beyond every timeout loses nothing and duplicates nothing", { timeout: faultTimeoutMs }, async () => {
  let pausedMs = 0;
  for (let index = 0; index < pauses; index++) {
    await city.during(async () => {
      await city.callers.more(run.random.int(5, 60));
      process.kill(server.pid, "SIGSTOP");
      // At least once beyond every timeout, for any seed.
      const ms = index === 0 ? pauseMs.most : run.random.int(pauseMs.least, pauseMs.most);
      await pause(ms);
      process.kill(server.pid, "SIGCONT");
      pausedMs += ms;
      run.did("pauses");
    });
    run.saw(await city.check());
    run.progress(index + 1, pauses);
  }
  run.did("seconds paused", Math.round(pausedMs / 1000));
  run.did("steps answered", city.callers.counts.answers);
  run.did("attempts without an answer", city.callers.counts.unanswered);
  run.report();
  expect(city.callers.counts.unanswered).toBeGreaterThan(0);
});
