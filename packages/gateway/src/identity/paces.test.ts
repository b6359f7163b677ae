import fc from "fast-check";
import { expect, it } from "vitest";
import { rateOf } from "../transport/limits/rate.ts";
import { Paces } from "./paces.ts";

const perSecond = (times: number) => rateOf({ everyMs: 1000 / times, atOnce: times });

it("never admit more than a second's as a burst and the rate afterwards", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(300), { maxLength: 200 }), fc.integer({ min: 1, max: 50 }), (steps, times) => {
      let nowMs = 1_000_000;
      const paces = new Paces({ now: () => nowMs, max: 10 });
      let allowed = 0;
      for (const step of steps) {
        nowMs += step;
        if (paces.waitMs("a", perSecond(times)) === 0) {
          paces.count("a", perSecond(times));
          allowed += 1;
        }
        expect(allowed).toBeLessThanOrEqual(times + ((nowMs - 1_000_000) * times) / 1000 + 1e-6);
      }
    }),
  );
});

it("admit one more after the wait that they return", () => {
  let nowMs = 0;
  const paces = new Paces({ now: () => nowMs, max: 10 });
  for (let time = 0; time < 3; time += 1) {
    expect(paces.waitMs("a", perSecond(3))).toBe(0);
    paces.count("a", perSecond(3));
  }
  expect([paces.waitMs("a", perSecond(3)), paces.waitMs("b", perSecond(3))]).toEqual([334, 0]);
  nowMs += 334;
  expect(paces.waitMs("a", perSecond(3))).toBe(0);
});

it("wait no longer because of what is done in spite of the wait, or because the clock is set back", () => {
  let nowMs = 1_000_000;
  const rate = rateOf({ everyMs: 1000, atOnce: 3 });
  const paces = new Paces({ now: () => nowMs, max: 10 });
  for (let time = 0; time < 8; time += 1) paces.count("a", rate);
  expect(paces.waitMs("a", rate)).toBe(1000);
  nowMs += 1000;
  expect(paces.waitMs("a", rate)).toBe(0);
  paces.count("a", rate);
  expect(paces.waitMs("a", rate)).toBe(1000);
  nowMs = 0;
  expect(paces.waitMs("a", rate)).toBe(1000);
});

it("are of those who did something last", () => {
  const rate = rateOf({ everyMs: 1000, atOnce: 1 });
  const paces = new Paces({ now: () => 0, max: 2 });
  for (const name of ["a", "b", "a", "c"]) paces.count(name, rate);
  expect(paces.size).toBe(2);
  expect(["a", "b", "c"].map((name) => paces.waitMs(name, rate))).toEqual([1000, 0, 1000]);
});
