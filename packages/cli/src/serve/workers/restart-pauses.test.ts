import { expect, test } from "vitest";
import { RestartPauses } from "./restart-pauses.ts";

test("a worker that ends soon again and again is replaced ever later, whether it could start or not", () => {
  const pauses = new RestartPauses();
  expect([0, 3000, 0, 3000, 59_999, 0, 3000].map((servedMs) => pauses.after(servedMs))).toEqual([
    ...[1000, 2000, 5000, 10_000, 30_000, 30_000, 30_000],
  ]);
});

test("one that has served for a minute is replaced at once, and what came before is forgotten", () => {
  const pauses = new RestartPauses();
  expect([0, 0, 60_000, 0].map((servedMs) => pauses.after(servedMs))).toEqual([1000, 2000, 0, 1000]);
});
