import { expect, test } from "vitest";
import { createRandom } from "./random.ts";

const take = (random: ReturnType<typeof createRandom>, count: number) => Array.from({ length: count }, () => random.next());

test("the same parts give the same numbers, others give others", () => {
  expect(take(createRandom(1, "a"), 5)).toEqual(take(createRandom(1, "a"), 5));
  expect(take(createRandom(1, "a"), 5)).not.toEqual(take(createRandom(2, "a"), 5));
  expect(take(createRandom(1, "a"), 5)).not.toEqual(take(createRandom(1, "b"), 5));
  expect(take(createRandom(12, 3), 5)).not.toEqual(take(createRandom(1, 23), 5));
});

test("the numbers are spread evenly over [0, 1), from neighbouring seeds too", () => {
  const firsts = Array.from({ length: 10_000 }, (_, seed) => createRandom(7, seed).next());
  const counts = new Array<number>(10).fill(0);
  for (const number of firsts) counts[Math.floor(number * 10)] = (counts[Math.floor(number * 10)] ?? 0) + 1;
  // Five standard deviations of a count of 1000.
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
  expect(Math.min(...firsts)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...firsts)).toBeLessThan(1);
});

test("weights decide how often an item is drawn", () => {
  const random = createRandom("weights");
  const drawn = Array.from({ length: 10_000 }, () => random.weighted(["a", "b", "c"], (item) => ({ a: 7, b: 3, c: 0 })[item] ?? 0));
  expect(drawn.filter((item) => item === "a").length).toBeGreaterThan(6750);
  expect(drawn.filter((item) => item === "a").length).toBeLessThan(7250);
  expect(drawn).not.toContain("c");
  expect(() => random.weighted([], () => 1)).toThrow(RangeError);
});
