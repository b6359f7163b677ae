import { createRandom } from "@petak/testkit";
import { expect, test } from "vitest";
import { type Pair, savedShare } from "./shares.ts";

const random = createRandom(1);
const pairs = (count: number, without: number, withPath: number): Pair[] =>
  Array.from({ length: count }, () => ({ without, with: withPath }));

test("a path that saves a tenth of every turn saves 10 %, and the interval has no width", () => {
  const { share, low, high, withoutMicros, withMicros } = savedShare([pairs(10, 200, 180), pairs(10, 100, 90)], random);
  for (const value of [share, low, high]) expect(value).toBeCloseTo(0.1, 10);
  expect([withoutMicros, withMicros]).toEqual([150, 135]);
});

test("turns that differ widen the interval, which holds the mean", () => {
  const noisy = Array.from({ length: 40 }, () => ({ without: random.float(90, 110), with: random.float(80, 100) }));
  const { share, low, high } = savedShare([noisy], random);
  expect(low).toBeLessThan(share);
  expect(high).toBeGreaterThan(share);
  expect(high - low).toBeLessThan(0.1);
});

test("sittings that disagree widen the interval to what each of them said, however many turns they had", () => {
  const { low, high } = savedShare([pairs(1000, 100, 100), pairs(1000, 100, 80)], random);
  expect(low).toBeCloseTo(0, 10);
  expect(high).toBeCloseTo(0.2, 10);
});
