import { setTimeout as pause } from "node:timers/promises";
import { roundsHere, startTestServer, type TestServer } from "@petak/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { buildCity, type City } from "./city.ts";
import { beginFaultRun, type FaultRun, faultTimeoutMs } from "./fault-run.ts";

/** How often something is killed, with `always` and with `everysec` each. */
const kills = roundsHere({ short: 1, ci: 6, long: 110 });

/** Without losses, and with what `everysec` may lose. */
const settings = (["always", "everysec"] as const).slice(0, roundsHere({ short: 1, ci: 2, long: 2 }));

let run: FaultRun;
let server: TestServer;
let city: City;

afterEach(async () => {
  await city.stop();
  await server.stop();
});

/**
 * The period before a kill whose changes may be lost, in ms: with `everysec`, Redis delays a write by up to two seconds while another write
 * to the disk is in progress. The rest allows for the kill itself.
 */
const mayLose = { always: 0, everysec: 2200 } as const;

describe.each(settings)("with appendfsync %s, a store and gateways that are killed at any instant", (appendfsync) => {
  const mayLoseMs = mayLose[appendfsync];

  beforeEach(async () => {
    run = beginFaultRun(`kill -9, ${appendfsync}`);
    server = await startTestServer({ appendfsync });
    city = await buildCity({ redis: { socketPath: server.options.path }, gateways: [{}, {}], random: run.random });
  });

  it("keep every answered step, except those that may be lost, once, with its place and its event", {
    timeout: faultTimeoutMs,
  }, async () => {
    for (let kill = 0; kill < kills; kill++) {
      let killedMs: number | undefined;
      await city.during(async () => {
        await city.callers.more(run.random.int(5, 40));
        await pause(run.random.int(0, 30));
        // Sometimes both at once: then nobody has the state in memory.
        const both = ["store", "gateway"];
        const kinds = kill === 0 ? both : run.random.pick([["store"], ["gateway"], both]);
        await Promise.all(
          kinds.map(async (kind) => {
            if (kind === "gateway") return await city.killGateway();
            // Before it, since a busy machine tells of the end much later.
            killedMs = Date.now();
            await server.kill9();
            if (mayLoseMs > 0) city.callers.abandon();
            // For a moment or longer.
            await pause(run.random.int(0, 200));
            await server.restart();
          }),
        );
        for (const kind of kinds) run.did(`${kind} killed`);
      });
      run.saw(await city.check(mayLoseMs > 0 ? { lostAfterMs: (killedMs ?? Date.now()) - mayLoseMs } : {}));
      run.progress(kill + 1, kills);
    }
    run.did("steps answered", city.callers.counts.answers);
    run.did("attempts without an answer", city.callers.counts.unanswered);
    run.did(
      "listeners interrupted",
      city.listeners.reduce((sum, { interruptions }) => sum + interruptions, 0),
    );
    run.report();
    expect(city.lives.length).toBeGreaterThan(kills);
  });
});
