import { expect, test } from "vitest";
import { LeaseClock } from "./lease-clock.ts";

/** A tablet whose page began at 0 and whose clock says 1,000,000. */
function tablet() {
  const times = { steadyMs: 0, wallMs: 1_000_000 };
  const clocks = { steadyMs: () => times.steadyMs, wallMs: () => times.wallMs };
  return { times, clocks, clock: new LeaseClock(clocks) };
}

test("time passes by the page's clock, or by the tablet's if that went further, as in sleep", () => {
  const { times, clock } = tablet();
  times.steadyMs += 5000;
  times.wallMs += 4000;
  expect(clock.elapsedMs()).toBe(5000);
  times.wallMs += 3_600_000;
  expect(clock.elapsedMs()).toBe(3_605_000);
});

test("a clock that is set back says that the lease is over, and one that is set forward ends it sooner", () => {
  const { times, clock } = tablet();
  times.wallMs += 60_000;
  expect(clock.elapsedMs()).toBe(60_000);
  times.steadyMs += 10_000;
  times.wallMs -= 30_000;
  expect(clock.elapsedMs()).toBe(Number.POSITIVE_INFINITY);
  times.wallMs += 3_600_000;
  expect(clock.elapsedMs()).toBe(Number.POSITIVE_INFINITY);
});

test("a later page goes on from what was noted, and knows if the clock went back between them", () => {
  const { times, clocks, clock } = tablet();
  times.steadyMs = 5000;
  times.wallMs += 5000;
  const noted = clock.note();
  times.steadyMs = 100;
  times.wallMs += 20_000;
  expect(new LeaseClock(clocks, noted).elapsedMs()).toBe(25_000);
  times.wallMs -= 40_000;
  expect(new LeaseClock(clocks, noted).elapsedMs()).toBe(Number.POSITIVE_INFINITY);
});
