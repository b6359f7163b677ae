import { describe, expect, it } from "vitest";
import { AddedMetrics } from "./added-metrics.ts";
import { createMetrics, type Metrics } from "./metrics.ts";

const snapshot = ({ registry }: Metrics) => registry.getMetricsAsJSON();

function startProcess() {
  return createMetrics({ processMetrics: false });
}

/** The value of a line of the text format. */
async function lineOf(added: AddedMetrics, line: string): Promise<number | undefined> {
  const found = (await added.text(1)).split("\n").find((one) => one.startsWith(`${line} `));
  return found === undefined ? undefined : Number(found.split(" ").at(-1));
}

describe("added metrics", () => {
  it("are the sums of counts and durations, and of states the worst", async () => {
    const added = new AddedMetrics(3);
    const [one, two] = [startProcess(), startProcess()];
    one.rpcShed.inc({ kind: "unary" }, 2);
    two.rpcShed.inc({ kind: "unary" }, 3);
    one.rpcDuration.count("m", "grpc", "ok", 0.002);
    two.rpcDuration.count("m", "grpc", "ok", 0.2);
    one.redisUp.set(1);
    two.redisUp.set(0);
    one.storeFill.set(0.5);
    two.storeFill.set(0.6);
    one.connections.set(7);
    two.connections.set(8);
    added.take(1, await snapshot(one));
    added.take(2, await snapshot(two));
    expect(await lineOf(added, 'petak_rpc_shed_total{kind="unary"}')).toBe(5);
    const labels = '{method="m",protocol="grpc",code="ok"}';
    expect(await lineOf(added, `petak_rpc_duration_seconds_count${labels}`)).toBe(2);
    expect(await lineOf(added, 'petak_rpc_duration_seconds_bucket{le="0.0025",method="m",protocol="grpc",code="ok"}')).toBe(1);
    expect(await lineOf(added, 'petak_rpc_duration_seconds_bucket{le="+Inf",method="m",protocol="grpc",code="ok"}')).toBe(2);
    expect(await lineOf(added, "petak_redis_up")).toBe(0);
    expect(await lineOf(added, "petak_store_fill_ratio")).toBe(0.6);
    expect(await lineOf(added, "petak_connections")).toBe(15);
  });

  it("have the start of the first process in the place of its workers'", async () => {
    const added = new AddedMetrics(3);
    added.take(1, await snapshot(createMetrics()));
    expect(await lineOf(added, "process_start_time_seconds")).toBe(Math.round(performance.timeOrigin / 1000));
    expect(await lineOf(added, "process_open_fds")).toBeGreaterThan(0);
  });

  it("do not fall when a process ends: its counts stay, and its states go", async () => {
    const added = new AddedMetrics(3);
    for (const id of [1, 2, 3]) {
      const process = startProcess();
      process.rpcShed.inc({ kind: "unary" }, 10);
      process.rpcDuration.count("m", "grpc", "ok", 0.002);
      process.connections.set(5);
      added.take(id, await snapshot(process));
    }
    await Promise.all([added.ended(1), added.ended(2)]);
    // One that was never asked.
    await added.ended(4);
    expect(await lineOf(added, 'petak_rpc_shed_total{kind="unary"}')).toBe(30);
    expect(await lineOf(added, 'petak_rpc_duration_seconds_count{method="m",protocol="grpc",code="ok"}')).toBe(3);
    expect(await lineOf(added, "petak_connections")).toBe(5);
    // Whoever ended them had a reason.
    expect(await lineOf(added, "petak_worker_deaths_total")).toBe(0);
    added.died();
    expect(await lineOf(added, "petak_worker_deaths_total")).toBe(1);
    expect([await lineOf(added, "petak_workers"), await lineOf(added, "petak_workers_wanted")]).toEqual([1, 3]);
  });
});
