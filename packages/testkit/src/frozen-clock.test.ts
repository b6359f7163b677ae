import { expect, test } from "vitest";
import { createFrozenClock } from "./frozen-clock.ts";

test("a frozen clock stands still until it is moved", () => {
  const clock = createFrozenClock(1_000);
  expect([clock.now(), clock.now()]).toEqual([1_000, 1_000]);
  clock.advance(250);
  expect(clock.now()).toBe(1_250);
  clock.advance(-500);
  expect(clock.now()).toBe(750);
  clock.set(5);
  expect(clock.now()).toBe(5);
});

test("its now() can be passed on by itself", () => {
  const clock = createFrozenClock();
  const { now } = clock;
  clock.advance(1);
  expect(new Date(now()).toISOString()).toBe("2026-06-01T00:00:00.001Z");
});
