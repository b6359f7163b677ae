import { createRandom, testSeed } from "@petak/testkit";
import { expect, test } from "vitest";
import type { Position } from "../line-code.ts";
import { isWorthDrawing, simplifyLine } from "./simplify.ts";

test("what is nearly straight becomes straight, and corners stay", () => {
  const line: Position[] = [
    [0, 0],
    [1, 0.001],
    [2, 0],
    [2, 1],
    [2.001, 2],
  ];
  expect(simplifyLine(line, () => 0.01)).toEqual([
    [0, 0],
    [2, 0],
    [2.001, 2],
  ]);
});

test("no position that is left out was farther from the line than the tolerance", () => {
  const random = createRandom(testSeed());
  const line = Array.from({ length: 300 }, (_, index): Position => [index / 10, random.float(0, 1)]);
  const simple = simplifyLine(line, () => 0.3);
  expect(simple.length).toBeLessThan(line.length);
  for (const [x, y] of line) {
    const next = simple.findIndex(([other]) => other >= x);
    const [[fromX, fromY], [toX, toY]] = [simple[Math.max(0, next - 1)] as Position, simple[next] as Position];
    const onLine = toX === fromX ? toY : fromY + ((x - fromX) / (toX - fromX)) * (toY - fromY);
    // The distance across the line is no longer than the one straight up.
    const across = Math.abs(y - onLine) * Math.cos(Math.atan2(toY - fromY, toX - fromX));
    expect(across).toBeLessThanOrEqual(0.3 + 1e-9);
  }
});

test("a tolerance may be another in each place", () => {
  const wave = Array.from({ length: 41 }, (_, index): Position => [index, index % 2]);
  const simple = simplifyLine(wave, ([x]) => (x < 20 ? 0.1 : 2));
  expect(simple.filter(([x]) => x < 20).length).toBe(20);
  expect(simple.filter(([x]) => x > 20).length).toBeLessThan(3);
});

test("a ring is simplified although it ends where it begins", () => {
  const island: Position[] = [
    [0, 0],
    [1, 0.001],
    [2, 0],
    [2, 2],
    [0, 2],
    [0, 0],
  ];
  expect(simplifyLine(island, () => 0.01)).toEqual([
    [0, 0],
    [2, 0],
    [2, 2],
    [0, 2],
    [0, 0],
  ]);
});

test("an island of which too little is left is not worth drawing", () => {
  const island: Position[] = [
    [0, 0],
    [0.01, 0],
    [0.01, 0.01],
    [0, 0.01],
    [0, 0],
  ];
  expect(isWorthDrawing(island, () => 0.1)).toBe(false);
  expect(isWorthDrawing(island, () => 0.001)).toBe(true);
});
