import { expect, test } from "vitest";
import { median } from "./median.ts";

test("the median is the middle number, the mean of the two middle ones of an even number, and NaN of none", () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([9, 1, 5, 6])).toBe(5.5);
  expect(median([7])).toBe(7);
  expect(median([])).toBeNaN();
});
