import { createRandom, testSeed } from "@petak/testkit";
import { describe, expect, it } from "vitest";
import type { CallObserved, IntentionEnded, Observation } from "../observe/observation.ts";
import { heatBoundsMs, heatRow } from "./heat.ts";
import { Latencies } from "./latencies.ts";
import { createMeasure } from "./measure.ts";
import { maxColumns } from "./series.ts";

let nextIntention = 1;

function call(given: Partial<CallObserved> & { latencyMs?: number }): CallObserved {
  const { latencyMs = 5, dueMs = 0, ...rest } = given;
  return {
    kind: "call",
    intention: nextIntention++,
    operation: "find",
    atMs: 0,
    dueMs,
    sentMs: dueMs,
    doneMs: dueMs + latencyMs,
    outcome: "OK",
    ...rest,
  };
}

function ended(intention: number, end: IntentionEnded["end"]): IntentionEnded {
  return { kind: "ended", intention, atMs: 0, end, latitude: 1, longitude: 103, askedAtMs: 0, isRedirected: false };
}

function measured(observations: Iterable<Observation>) {
  const measure = createMeasure();
  for (const observation of observations) measure.observe(observation);
  return measure.summary();
}

/** The value that `percent` of the sorted values do not exceed. */
function exact(sorted: readonly number[], percent: number): number {
  return sorted[Math.max(0, Math.ceil((percent * sorted.length) / 100 - 1e-9) - 1)] ?? 0;
}

describe("latencies", () => {
  it("have the percentiles of what was recorded, to three digits, and exactly the greatest", () => {
    const random = createRandom(testSeed());
    for (const count of [1, 2, 17, 1000, 20_000]) {
      const values = Array.from({ length: count }, () => Math.round(10 ** random.float(0, 9)) / 1000);
      const latencies = new Latencies(3);
      for (const value of values) latencies.record(value);
      values.sort((a, b) => a - b);
      for (const percent of [50, 90, 99, 99.9]) {
        expect(Math.abs(latencies.percentileMs(percent) / exact(values, percent) - 1)).toBeLessThanOrEqual(0.001);
      }
      expect(latencies.percentileMs(100)).toBe(values.at(-1));
      const curve = latencies.curve();
      expect(curve.at(-1)).toEqual([100, values.at(-1)]);
      expect(curve).toEqual(curve.toSorted(([a, x], [b, y]) => a - b || x - y));
      for (const [, ms] of curve) expect(ms).toBeLessThanOrEqual(values.at(-1) ?? 0);
    }
  });

  it("count as a microsecond or an hour where they are shorter or longer", () => {
    const latencies = new Latencies(3);
    for (const ms of [-1, 0, 1e9]) latencies.record(ms);
    expect([latencies.count, latencies.percentileMs(50), latencies.percentileMs(100)]).toEqual([3, 0.001, 3_600_000]);
    expect(new Latencies(3).percentiles()).toEqual({ p50Ms: 0, p90Ms: 0, p99Ms: 0, p999Ms: 0, maxMs: 0 });
  });
});

describe("rows of the heat map", () => {
  it("hold what is at least their bound and below the next", () => {
    const random = createRandom(testSeed());
    const values = [...heatBoundsMs, ...Array.from({ length: 2000 }, () => 10 ** random.float(-4, 6.5))];
    for (const ms of values) {
      const row = heatRow(ms);
      expect(heatBoundsMs[row]).toBeLessThanOrEqual(ms);
      expect(heatBoundsMs[row + 1] ?? Infinity).toBeGreaterThan(ms);
    }
    expect(heatRow(1e12)).toBe(heatBoundsMs.length - 1);
  });
});

describe("a measure", () => {
  it("counts a call's latency from when it was to start, so that a wait before it was sent shows", () => {
    const { operations } = measured([call({ dueMs: 1000, sentMs: 15_990, doneMs: 16_000 })]);
    expect(operations.find?.maxMs).toBe(15_000);
  });

  it("tells what was refused from what failed, and keeps all in the percentiles of the operation", () => {
    const { operations, outcomes } = measured([
      ...Array.from({ length: 97 }, () => call({ operation: "reserve" })),
      call({ operation: "reserve", outcome: "NO_PLACE_FREE", latencyMs: 10 }),
      call({ operation: "reserve", outcome: "DEADLINE_EXCEEDED", latencyMs: 9000, intention: 7 }),
      call({ operation: "reserve", outcome: "what no gateway says", latencyMs: 20 }),
      call({ operation: "door", outcome: "SPENT" }),
      call({ operation: "door", outcome: "OUT_OF_ORDER" }),
    ]);
    expect(operations.reserve).toMatchObject({ ok: 97, refused: 1, failed: 2, maxMs: 9000, classes: { refused: { maxMs: 10 } } });
    expect(operations.reserve?.classes.ok?.maxMs).toBe(5);
    expect(operations.door).toMatchObject({ ok: 0, refused: 1, failed: 1 });
    expect(operations.find).toBeUndefined();
    expect(outcomes.DEADLINE_EXCEEDED).toEqual({ count: 1, intentions: [7], operations: { reserve: 1 } });
  });

  it("keeps at most twenty intentions of a reason, and two hundred reasons", () => {
    const { outcomes } = measured([
      ...Array.from({ length: 50 }, (_, index) => call({ intention: index + 1, outcome: "__proto__" })),
      ...Array.from({ length: 500 }, (_, index) => call({ outcome: `${index} ${"long".repeat(1000)}` })),
    ]);
    const [first, second] = Object.entries(outcomes);
    expect(first).toMatchObject(["(others)", { count: 301 }]);
    expect(second).toEqual(["__proto__", { count: 50, intentions: Array.from({ length: 20 }, (_, i) => i + 1), operations: { find: 50 } }]);
    expect(Object.keys(outcomes).every((name) => name.length <= 100)).toBe(true);
    expect(Object.keys(outcomes)).toHaveLength(201);
  });

  it("counts the intentions that were due: begun, whatever became of them, and dropped", () => {
    const { rate, ends, demand } = measured([
      call({ intention: 1 }),
      call({ intention: 1, operation: "reserve" }),
      { kind: "given", intention: 1, atMs: 0, reservationId: "r", siteId: "s", sizeClassId: "c" },
      call({ intention: 2 }),
      call({ intention: 0, operation: "sync" }),
      ended(2, "refused"),
      ended(3, "dropped"),
      call({ intention: 4, dueMs: 100, doneMs: 20_000 }),
      ended(4, "left"),
      ended(1, "unfinished"),
      { kind: "end", atMs: 0, doneMs: 60_000, end: "complete" },
    ]);
    expect(rate).toEqual({ durationMs: 60_000, intended: 4, sent: 3, dropped: 1, late: 0, calls: 5 });
    expect(ends.dropped).toEqual({ count: 1, intentions: [3] });
    expect(demand).toEqual({ met: 1, unmet: 1 });
  });
});

describe("the columns of a measure", () => {
  it("hold every call where it was to start, in whatever order calls end and however long the run is", () => {
    const random = createRandom(testSeed());
    for (const durationMs of [10_000, 60_000, 3_600_000, 7 * 86_400_000]) {
      const calls = Array.from({ length: 3000 }, () => {
        return call({
          dueMs: random.float(0, durationMs),
          latencyMs: 10 ** random.float(-1, 4),
          operation: random.pick(["find", "reserve"]),
        });
      });
      const { series } = measured(calls);
      expect(series.columns.length).toBeLessThanOrEqual(maxColumns);
      expect(series.columns.length).toBeGreaterThanOrEqual(40);
      for (const { fromMs, sent, calls: found } of series.columns) {
        const here = calls.filter(({ dueMs }) => dueMs >= fromMs && dueMs < fromMs + series.stepMs);
        expect(sent).toBe(here.length);
        for (const operation of ["find", "reserve"] as const) {
          const latencies = here.filter((one) => one.operation === operation).map(({ dueMs, doneMs }) => doneMs - dueMs);
          expect(found[operation]?.ok ?? 0).toBe(latencies.length);
          const longest = Math.max(0, ...latencies);
          expect(Math.abs((found[operation]?.maxMs ?? 0) - longest)).toBeLessThan(0.001);
          const rows = latencies.map(heatRow).sort((a, b) => a - b);
          expect(found[operation]?.buckets.flatMap(([row, count]) => Array(count).fill(row)) ?? []).toEqual(rows);
        }
      }
      expect(series.columns.reduce((sum, { sent }) => sum + sent, 0)).toBe(calls.length);
    }
  });

  it("keep the last of the gateway's metrics", () => {
    const sample = (doneMs: number, value: number) => ({ kind: "metrics", atMs: 0, doneMs, values: { lag: value } }) as const;
    const { columns } = measured([sample(10, 1), sample(20, 2), sample(300, 3)]).series;
    expect(columns.map(({ fromMs, metrics }) => [fromMs, metrics])).toEqual([
      [0, { lag: 2 }],
      [250, { lag: 3 }],
    ]);
  });
});

describe("a run", () => {
  const late = (intention: number, lateMs: number) => ({ kind: "late", intention, dueMs: 0, sentMs: lateMs }) as const;

  it("is valid if the generator was late by no more than the bound", () => {
    const calls = Array.from({ length: 1000 }, (_, index) => call({ intention: index + 1 }));
    const { validity, rate } = measured([...Array.from({ length: 10 }, (_, index) => late(index + 1, 500)), ...calls]);
    expect(validity).toMatchObject({ isValid: true, lateP99Ms: 0, lateMaxMs: 500, reasons: [] });
    expect(rate).toMatchObject({ sent: 1000, late: 10 });
  });

  it("is invalid if one intention in a hundred was begun too late, or a single one very late, and says so", () => {
    const calls = Array.from({ length: 1000 }, (_, index) => call({ intention: index + 1 }));
    const often = measured([...calls, ...Array.from({ length: 11 }, (_, index) => late(index + 1, 21))]).validity;
    expect(often).toMatchObject({ isValid: false, lateP99Ms: 21 });
    expect(often.reasons).toEqual([
      "The generator began 1 % of the intentions 21 ms late or more, and one 21 ms; 20 and 1000 ms are allowed, since latencies include it: use a lower rate, more processes or a quieter machine.",
    ]);
    expect(measured([...calls, late(3, 1001)]).validity).toMatchObject({ isValid: false, lateP99Ms: 0, lateMaxMs: 1001 });
  });
});

it("sums up as plain JSON", () => {
  const summary = measured([call({}), call({ outcome: "NO_PLACE_FREE" }), ended(1, "collected")]);
  expect(JSON.parse(JSON.stringify(summary))).toEqual(summary);
});
