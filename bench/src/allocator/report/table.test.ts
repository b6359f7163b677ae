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

test("the medians of the rounds are compared, and the target is met or not by their ratio", () => {
  expect(resultOf(figure)).toBeCloseTo(2 / 30);
  expect(isMet(figure)).toBe(true);
  expect(isMet({ ...figure, ours: [4] })).toBe(false);
  expect(isMet({ ...figure, target: { limit: 10, is: "at least" } })).toBe(false);
});

test("without a peer the target is about the figure itself", () => {
  const { peer: _, ...alone } = figure;
  expect(isMet({ ...alone, ours: [210], target: { limit: 200, is: "at most" } })).toBe(false);
  expect(isMet({ ...alone, ours: [190], target: { limit: 200, is: "at most" } })).toBe(true);
});

test("what could not be measured is neither met nor missed, and says so", () => {
  const missing: Figure = { ...figure, peer: { name: "PostgreSQL", values: [] }, notMeasured: "PostgreSQL is not installed" };
  expect(isMet(missing)).toBeUndefined();
  const table = reportTable({ commit: "c", node: "n", server: "s", cpu: "p", rounds: 3, seconds: 4, figures: [missing] });
  expect(table).toContain("| 2 (1–3) | PostgreSQL | not measured | not measured | ≤ 1/10 | not measured |");
});
