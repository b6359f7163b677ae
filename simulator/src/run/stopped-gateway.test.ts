import { useRedis } from "@petak/testkit";
import { expect, it } from "vitest";
import { closedLoop, runThroughStop } from "./testing/stopped-gateway.ts";

const redis = useRedis();

it("shows in the percentiles that the gateway stood still, since all who came meanwhile waited", async () => {
  const { summary, finds, stopMs } = await runThroughStop(redis, { perS: 100, beforeMs: 200, stopMs: 700, afterMs: 0 });
  expect(summary.rate).toMatchObject({ intended: finds.length, sent: finds.length, dropped: 0 });
  expect(summary.operations.find).toMatchObject({ ok: finds.length, refused: 0, failed: 0 });
  expect((summary.operations.find?.maxMs ?? 0) / stopMs).toBeGreaterThan(0.9);
  expect((summary.operations.find?.p99Ms ?? 0) / stopMs).toBeGreaterThan(0.8);
  // Whoever sends the next call only after the answer to the last has few that were slow.
  const slow = finds.filter(({ dueMs, doneMs }) => doneMs - dueMs > stopMs / 2);
  const slowOfClosedLoop = closedLoop(finds).filter(({ sentMs, doneMs }) => doneMs - sentMs > stopMs / 2);
  expect(slow.length / slowOfClosedLoop.length).toBeGreaterThan(4);
});
