import { expect, test } from "vitest";
import { withTracking } from "./tracking-cost.ts";

const cost = { micros: 0.3, keysRead: 0.5, commands: {} };

test("a query bears a tenth of the cost of an invalidation, and the registration of each key that it read", () => {
  const tracking = {
    invalidation: { tracked: [52, 55, 50], untracked: [50, 49, 51], difference: [2, 6, -1], holds: 100 },
    registration: [0.2, 0.4, 0.3],
  };
  expect(withTracking([cost, { ...cost, micros: 0.5 }], tracking)).toEqual([
    expect.closeTo(0.3 + 2 / 10 + 0.5 * 0.3),
    expect.closeTo(0.5 + 2 / 10 + 0.5 * 0.3),
  ]);
});

test("a negative difference does not make a query cheaper", () => {
  const tracking = { invalidation: { tracked: [50], untracked: [51], difference: [-1], holds: 100 }, registration: [-0.1] };
  expect(withTracking([cost], tracking)).toEqual([0.3]);
});
