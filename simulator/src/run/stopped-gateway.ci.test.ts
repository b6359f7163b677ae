import { useRedis } from "@petak/testkit";
import { expect, it } from "vitest";
import { Latencies } from "../measure/latencies.ts";
import { closedLoop, runThroughStop } from "./testing/stopped-gateway.ts";

const redis = useRedis();

it("shows 15 seconds in which the gateway stood still in p99, which a closed loop hides", async () => {
  const { summary, finds, stoppedAtMs, stopMs } = await runThroughStop(redis, {
    perS: 20,
    beforeMs: 10_000,
    stopMs: 15_000,
    afterMs: 10_000,
  });
  const { find } = summary.operations;
  expect(find).toMatchObject({ ok: finds.length, refused: 0, failed: 0 });
  expect((find?.p99Ms ?? 0) / stopMs).toBeGreaterThan(0.9);
  expect((find?.maxMs ?? 0) / stopMs).toBeGreaterThan(0.9);
  // The heat map has a ramp: who was due a third into the stop waited for two thirds of it.
  const { stepMs, columns } = summary.series;
  const longestAt = (ms: number) => columns.find(({ fromMs }) => fromMs <= ms && ms < fromMs + stepMs)?.calls.find?.maxMs ?? 0;
  expect(longestAt(stoppedAtMs + stopMs / 3) / stopMs).toBeGreaterThan(0.5);
  expect(longestAt(stoppedAtMs + (stopMs * 2) / 3) / stopMs).toBeGreaterThan(0.2);
  const closed = new Latencies(3);
  for (const { sentMs, doneMs } of closedLoop(finds)) closed.record(doneMs - sentMs);
  expect((find?.p99Ms ?? 0) / closed.percentileMs(99)).toBeGreaterThan(5);
});
