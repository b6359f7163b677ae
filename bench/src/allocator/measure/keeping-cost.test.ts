import { expect, test } from "vitest";
import { withKeeping } from "./keeping-cost.ts";

const cost = { micros: 0.3, keysRead: 0.5, commands: {} };

test("a query bears a tenth of what its share of a hold costs more, and what is remembered of each key it read", () => {
  const keeping = { telling: { told: [52, 55, 50], untold: [50, 49, 51], more: [2, 6, -1], holds: 100 }, remembering: [0.2, 0.4, 0.3] };
  expect(withKeeping([cost, { ...cost, micros: 0.5 }], keeping)).toEqual([
    expect.closeTo(0.3 + 2 / 10 + 0.5 * 0.3),
    expect.closeTo(0.5 + 2 / 10 + 0.5 * 0.3),
  ]);
});

test("what is lost in the noise does not make a query cheaper", () => {
  const keeping = { telling: { told: [50], untold: [51], more: [-1], holds: 100 }, remembering: [-0.1] };
  expect(withKeeping([cost], keeping)).toEqual([0.3]);
});
