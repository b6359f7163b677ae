import { expect, test } from "vitest";
import { createRandom } from "./random.ts";
import { readSeed, testSeed } from "./test-seed.ts";

const draws = 10_000;

test("the same seed gives the same numbers, another seed different ones", () => {
  const draw = (seed: number): number[] =>
    Array.from(
      { length: 5 },
      (
        (random) => () =>
          random.float()
      )(createRandom(seed)),
    );
  expect(draw(42)).toEqual(draw(42));
  expect(draw(42)).not.toEqual(draw(43));
});

test("the numbers of a seed never change, so that an old failure can be reproduced", () => {
  const random = createRandom(1);
  expect([random.int(0, 999), random.int(0, 999), random.int(0, 999)]).toEqual([627, 2, 527]);
});

test("int reaches both ends and nothing beyond, about equally often", () => {
  const random = createRandom(testSeed());
  const counts = new Map<number, number>();
  for (let draw = 0; draw < draws; draw++) {
    const value = random.int(-2, 2);
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  expect([...counts.keys()].sort((a, b) => a - b)).toEqual([-2, -1, 0, 1, 2]);
  for (const count of counts.values()) expect(Math.abs(count - draws / 5)).toBeLessThan(draws / 25);
});

test("float stays within its bounds", () => {
  const random = createRandom(testSeed());
  for (let draw = 0; draw < draws; draw++) {
    const value = random.float(-90, 90);
    expect(value >= -90 && value < 90).toBe(true);
  }
});

test("shuffle keeps every item, does not modify its argument, and gives every order", () => {
  const random = createRandom(testSeed());
  const items = Object.freeze(["a", "b", "c"]);
  const orders = new Set(Array.from({ length: 500 }, () => random.shuffle(items).join("")));
  expect([...orders].sort()).toEqual(["abc", "acb", "bac", "bca", "cab", "cba"]);
});

test("pick returns every item and refuses an empty list", () => {
  const random = createRandom(testSeed());
  expect(new Set(Array.from({ length: 200 }, () => random.pick(["x", "y"])))).toEqual(new Set(["x", "y"]));
  expect(() => random.pick([])).toThrow(RangeError);
});

test("a fork does not affect its parent", () => {
  const [one, two] = [createRandom(7), createRandom(7)];
  one.fork().bytes(100);
  two.fork();
  expect(one.float()).toBe(two.float());
});

test("a seed must be a 32-bit integer", () => {
  expect([readSeed(undefined), readSeed(""), readSeed("0"), readSeed("4294967295")]).toEqual([undefined, undefined, 0, 4_294_967_295]);
  for (const text of ["x", "-1", "1.5", "4294967296"]) expect(() => readSeed(text)).toThrow(`PETAK_TEST_SEED is "${text}"`);
});
