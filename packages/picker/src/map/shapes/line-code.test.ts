import { createRandom, testSeed } from "@petak/testkit";
import { expect, test } from "vitest";
import { decodeLine, encodeLine, type Position } from "./line-code.ts";

test("a line is read as it was written, to a thousandth of a degree", () => {
  const random = createRandom(testSeed());
  const line = Array.from({ length: 200 }, (): Position => [random.float(-180, 180), random.float(-90, 90)]);
  const read = decodeLine(encodeLine(line));
  expect(read.length).toBe(400);
  for (const [index, [longitude, latitude]] of line.entries()) {
    expect(Math.abs((read[2 * index] ?? 0) - longitude)).toBeLessThanOrEqual(0.000501);
    expect(Math.abs((read[2 * index + 1] ?? 0) - latitude)).toBeLessThanOrEqual(0.000501);
  }
});

test("positions that fall together are written once", () => {
  expect([
    ...decodeLine(
      encodeLine([
        [1, 2],
        [1.0001, 2.0001],
        [1.5, 2],
      ]),
    ),
  ]).toEqual([1, 2, 1.5, 2]);
});

test("no line has no positions", () => {
  expect(encodeLine([])).toBe("");
  expect([...decodeLine("")]).toEqual([]);
});

test("a character that no line has is refused", () => {
  expect(() => decodeLine("AB!")).toThrow('A line of the map has the character "!".');
});
