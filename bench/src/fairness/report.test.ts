import { expect, test } from "vitest";
import { fairnessTable, ratiosOf, type Turn } from "./report.ts";

const latencies = (ms: number, refused = 0) => ({ p50Ms: ms, p99Ms: ms * 2, calls: 10, refused });

function turn(beside: Turn["beside"], ms: number, refused = 0): Turn {
  return { kind: "calls", beside, requestsPerSecond: 1000, others: { reserve: latencies(ms, refused), find: latencies(ms) } };
}

const about = { commit: "abc", node: "v24", cpu: "a processor", seconds: 4, rounds: 3 };

test("a ratio is of the turns of one round, so that what the machine did in another does not count", () => {
  const hostile = [turn("hostile", 2), turn("hostile", 30)];
  const harmless = [turn("harmless", 1), turn("harmless", 20)];
  expect(ratiosOf(hostile, harmless, ({ others }) => others.find.p50Ms)).toEqual([2, 1.5]);
});

test("a target is met only if nothing was refused", () => {
  const turns = [turn("hostile", 3), turn("harmless", 2)];
  expect(fairnessTable({ ...about, turns })).toMatch(/`FindNearest` \| 1000 and 1000 \| 3\.00 and 2\.00 \| 1\.50 × .*\| 0 \| met \|/);
  const refused = [turn("hostile", 3, 1), turn("harmless", 2)];
  expect(fairnessTable({ ...about, turns: refused })).toMatch(/`Reserve` .*\| 1 \| \*\*not met\*\* \|/);
});
