import { expect, test } from "vitest";
import { type Figure, isMet, resultOf } from "./figure.ts";
import { reportTable } from "./table.ts";

const figure: Figure = {
  part: "nearest",
  what: "nearest",
  unit: "µs",
  ours: [3, 1, 2],
  peer: { name: "GEOSEARCH", values: [20, 30, 40] },
  target: { limit: 1 / 10, is: "at most" },
};

test("the target applies to the ratio of the medians of the rounds", () => {
  expect(resultOf(figure)).toBeCloseTo(2 / 30);
  expect(isMet(figure)).toBe(true);
  expect(isMet({ ...figure, ours: [4] })).toBe(false);
  expect(isMet({ ...figure, target: { limit: 10, is: "at least" } })).toBe(false);
});

test("without a peer the target applies to the figure itself", () => {
  const { peer: _, ...alone } = figure;
  expect(isMet({ ...alone, ours: [210], target: { limit: 200, is: "at most" } })).toBe(false);
  expect(isMet({ ...alone, ours: [190], target: { limit: 200, is: "at most" } })).toBe(true);
});

test("a figure that could not be measured neither meets nor misses its target, and says so", () => {
  const missing: Figure = { ...figure, peer: { name: "PostgreSQL", values: [] }, notMeasured: "PostgreSQL is not installed" };
  expect(isMet(missing)).toBeUndefined();
  const table = reportTable({ commit: "c", node: "n", server: "s", cpu: "p", rounds: 3, seconds: 4, figures: [missing] });
  expect(table).toContain("| 2 (1–3) | PostgreSQL | not measured | not measured | ≤ 1/10 | not measured |");
});
