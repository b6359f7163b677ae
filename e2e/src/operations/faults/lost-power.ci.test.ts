import { stat, truncate } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { logFile, roundsHere, startTestServer, type TestServer } from "@petak/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { buildCity, type City } from "./city.ts";
import { beginFaultRun, type FaultRun, faultTimeoutMs } from "./fault-run.ts";

const losses = roundsHere({ short: 1, ci: 3, long: 40 });

/** The end of the append-only file that is not on disk when a machine loses power, in ms: Redis syncs it every second. */
const notOnDiskMs = 1000;

/** The end that Redis may not have written to the operating system if the disk was slow, in ms. */
const notWrittenMs = 2200;

const sampleMs = 20;

let run: FaultRun;
let server: TestServer;
let city: City;

beforeEach(async () => {
  run = beginFaultRun("power lost, everysec");
  server = await startTestServer({ appendfsync: "everysec" });
  city = await buildCity({ redis: { socketPath: server.options.path }, gateways: [{}, {}], random: run.random });
});
afterEach(async () => {
  await city.stop();
  await server.stop();
});

describe("a machine that loses power, and with it the end of the append-only file", () => {
  it("restarts with all steps except those of the last seconds, consistent, and continues", { timeout: faultTimeoutMs }, async () => {
    for (let loss = 0; loss < losses; loss++) {
      const path = await logFile(server.dataDir);
      const sizes: { atMs: number; bytes: number }[] = [];
      let safeAtMs = 0;
      await city.during(async () => {
        const isKilled = new AbortController();
        const sampling = (async () => {
          while (!isKilled.signal.aborted) {
            sizes.push({ atMs: Date.now(), bytes: (await stat(path)).size });
            await pause(sampleMs);
          }
        })();
        await city.callers.more(run.random.int(20, 120));
        const killedMs = Date.now();
        await server.kill9();
        city.callers.abandon();
        isKilled.abort();
        await sampling;
        // The last second is cut off from a random byte on, and on a busy machine what came since the sample before it.
        const { size } = await stat(path);
        const safe = sizes.findLast(({ atMs }) => atMs <= killedMs - notOnDiskMs) ?? sizes[0] ?? { atMs: killedMs, bytes: size };
        safeAtMs = safe.atMs;
        await truncate(path, run.random.int(safe.bytes, size));
        await server.restart();
      });
      run.did("logs cut");
      run.saw(await city.check({ lostAfterMs: safeAtMs - notWrittenMs }));
      run.progress(loss + 1, losses);
    }
    run.did("steps answered", city.callers.counts.answers);
    run.report();
    expect(city.lives.length).toBeGreaterThan(losses);
  });
});
