import { testSeed } from "@petak/testkit";
import fc from "fast-check";
import { expect, test } from "vitest";
import { apportion } from "./apportion.ts";

test("the rest goes to the largest remainders", () => {
  expect(apportion(10, [1, 1, 1])).toEqual([4, 3, 3]);
  expect(apportion(7, [50, 30, 20])).toEqual([4, 2, 1]);
  expect(apportion(3, [1000, 1, 1])).toEqual([3, 0, 0]);
  expect(apportion(0, [1, 2])).toEqual([0, 0]);
});

test("the shares add up exactly, and each is less than one from its proportion", () => {
  const weights = fc
    .array(fc.integer({ min: 0, max: 10_000_000 }), { minLength: 1, maxLength: 200 })
    .filter((all) => all.some((one) => one > 0));
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 200_000 }), weights, (total, all) => {
      const sum = all.reduce((a, b) => a + b, 0);
      const shares = apportion(total, all);
      expect(shares.reduce((a, b) => a + b, 0)).toBe(total);
      for (const [index, share] of shares.entries()) {
        expect(Math.abs(share - (total * (all[index] ?? 0)) / sum)).toBeLessThan(1);
      }
    }),
    { seed: testSeed() },
  );
});

test("nothing can be divided among nobody, nor beyond exact numbers", () => {
  expect(() => apportion(3, [0, 0])).toThrow(RangeError);
  expect(() => apportion(2 ** 30, [2 ** 30])).toThrow(/not an exact integer/);
});
