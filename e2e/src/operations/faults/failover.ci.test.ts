import { setTimeout as pause } from "node:timers/promises";
import type { DurabilityOptions } from "@petak/gateway";
import {
  openRedisLink,
  type RedisLink,
  roundsHere,
  startTestCluster,
  startTestReplica,
  startTestServer,
  type TestCluster,
  type TestReplica,
  type TestServer,
} from "@petak/testkit";
import { afterEach, describe, expect, it } from "vitest";
import { buildCity, type City } from "./city.ts";
import { beginFaultRun, type FaultRun, faultTimeoutMs } from "./fault-run.ts";
import { until } from "./until.ts";

const failovers = roundsHere({ short: 1, ci: 2, long: 25 });

const durability: DurabilityOptions = {
  level: "replicated",
  check: "refuse",
  replication: { replicas: 1, on: "memory", withinMs: 1500 },
};

let run: FaultRun;
let city: City;

function report(): void {
  run.did("steps answered", city.callers.counts.answers);
  run.did("attempts without an answer", city.callers.counts.unanswered);
  run.report();
  expect(city.callers.counts.unanswered).toBeGreaterThan(0);
}

describe("a server whose replica takes over its address", () => {
  let master: TestServer;
  let replica: TestReplica;
  let link: RedisLink;

  afterEach(async () => {
    await city.stop();
    await link.stop();
    await replica.stop();
    await master.stop();
  });

  it("keeps, with durability replicated, every step that was answered", { timeout: faultTimeoutMs }, async () => {
    run = beginFaultRun("failover, replicated");
    master = await startTestServer({ hasReplicas: true });
    replica = await startTestReplica(master);
    link = await openRedisLink({ path: master.options.path });
    city = await buildCity({
      redis: { url: link.url },
      gateways: [{ durability }, { durability }],
      random: run.random,
    });
    for (let index = 0; index < failovers; index++) {
      await city.during(async () => {
        await city.callers.more(run.random.int(5, 80));
        const hardest = "killed while the replica receives nothing";
        // At least once, for any seed.
        const way = index === 0 ? hardest : run.random.pick(["killed", hardest, "left alive"]);
        run.did(`masters ${way}`);
        if (way === hardest) {
          // Steps taken meanwhile must not be acknowledged.
          replica.freeze();
          await pause(run.random.int(10, 2500));
          await master.kill9();
          replica.thaw();
        } else if (way === "killed") {
          await master.kill9();
        }
        // The address moves to the replica also if the old master is still alive.
        await replica.promote();
        link.moveTo({ path: replica.options.path });
        const next = await startTestReplica(replica);
        const old = master;
        [master, replica] = [replica, next];
        await old.stop();
      });
      run.saw(await city.check());
      run.progress(index + 1, failovers);
    }
    report();
  });
});

describe("a cluster that loses a master", () => {
  let cluster: TestCluster;

  afterEach(async () => {
    await city.stop();
    await cluster.stop();
  });

  it("keeps, with durability replicated, every step that was answered, and the gateways find the new master", {
    timeout: faultTimeoutMs,
  }, async () => {
    run = beginFaultRun("failover of a cluster, replicated");
    cluster = await startTestCluster({ hasReplicas: true });
    city = await buildCity({
      redis: cluster.address,
      gateways: [{ durability }, { durability }],
      random: run.random,
    });
    // The region of all sites.
    const [region = ""] = /(?<=_)\w{6}/.exec(city.sites[0]?.siteId ?? "") ?? [];
    for (let index = 0; index < failovers; index++) {
      await city.during(async () => {
        await city.callers.more(run.random.int(5, 80));
        const key = `faults:{${region}}:deadlines`;
        const losing = (await cluster.masterOf(index === 0 || run.random.bool(0.8) ? key : "another")) ?? expect.fail("no master");
        await losing.kill9();
        await until("its replica takes its place", async () => (await cluster.masterOf(key)) !== undefined);
        await pause(run.random.int(0, 2000));
        await losing.restart();
        await cluster.whole();
        await cluster.followed();
        run.did("masters killed");
      });
      run.saw(await city.check());
      run.progress(index + 1, failovers);
    }
    report();
  });
});
