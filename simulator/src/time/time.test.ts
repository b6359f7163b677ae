import { createRandom as createTestRandom, testSeed } from "@petak/testkit";
import { describe, expect, it } from "vitest";
import { createRandom } from "../random/random.ts";
import { drawArrivals } from "./arrivals.ts";
import { localClock } from "./local-time.ts";
import { weeklyRate } from "./rate.ts";
import { empiricalStays, lognormalStays } from "./stays.ts";
import { checkoutWeek } from "./week-shape.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const weekMs = 7 * dayMs;
/** Monday, midnight in Singapore. */
const monday = Date.parse("2026-11-16T00:00:00+08:00");
const singapore = (startMs: number, durationMs: number) => ({ startMs, durationMs, timeZone: "Asia/Singapore" });

describe("the rate of a week", () => {
  it("has exactly the volume that was asked for, from whatever instant the week starts and in whatever zone", () => {
    const random = createTestRandom(testSeed());
    for (let round = 0; round < 12; round++) {
      const startMs = monday - random.int(0, 40) * 7 * dayMs - random.int(0, weekMs);
      const quiet = { ...checkoutWeek, saleDays: {} };
      const perWeek = random.float(1, 1e6);
      const timeZone = random.pick(["Asia/Singapore", "Asia/Kathmandu", "Asia/Yangon", "Asia/Jakarta"]);
      expect(weeklyRate({ startMs, durationMs: weekMs, timeZone }, perWeek, quiet).total / perWeek).toBeCloseTo(1, 12);
    }
  });

  it("has its peaks at noon and at nine in the evening, local time", () => {
    const { total, timeOf } = weeklyRate(singapore(monday, dayMs), 7000, checkoutWeek);
    const inHour = new Array<number>(24).fill(0);
    for (let arrival = 0; arrival < total; arrival++) {
      const hour = Math.floor(timeOf(arrival) / hourMs);
      inHour[hour] = (inHour[hour] ?? 0) + 1;
    }
    const at = (hour: number) => inHour[hour] ?? 0;
    const isPeak = (hour: number) => at(hour) > at(hour - 2) && at(hour) > at(hour + 2);
    expect([12, 21].map(isPeak)).toEqual([true, true]);
    expect(inHour.indexOf(Math.max(...inHour))).toBeOneOf([20, 21]);
    expect(inHour.indexOf(Math.min(...inHour))).toBeOneOf([3, 4]);
  });

  it("multiplies a sale day from midnight to midnight, and only that", () => {
    const start = Date.parse("2026-11-11T00:00:00+08:00");
    const totalOf = (shape: typeof checkoutWeek, startMs: number) => weeklyRate(singapore(startMs, dayMs), 1000, shape).total;
    const quiet = { ...checkoutWeek, saleDays: {} };
    expect(totalOf(checkoutWeek, start) / totalOf(quiet, start)).toBeCloseTo(4, 12);
    expect(totalOf(checkoutWeek, start + dayMs)).toBe(totalOf(quiet, start + dayMs));
    expect(totalOf(checkoutWeek, start - dayMs)).toBe(totalOf(quiet, start - dayMs));
  });

  it("has an hour less on the day on which the clocks go forward", () => {
    const period = { startMs: Date.parse("2026-03-29T00:00:00Z"), durationMs: 23 * hourMs, timeZone: "Europe/London" };
    const toLocalMs = localClock("Europe/London");
    expect(toLocalMs(period.startMs + period.durationMs) - toLocalMs(period.startMs)).toBe(dayMs);
    const flat = { hours: new Array<number>(24).fill(1), days: new Array<number>(7).fill(1), saleDays: {} };
    expect(weeklyRate(period, 168, flat).total).toBeCloseTo(23, 10);
  });

  it("finds the time of each expected arrival: the inverse of its integral", () => {
    const random = createTestRandom(testSeed());
    const period = singapore(monday + 12_345, 3 * dayMs);
    const rate = weeklyRate(period, 10_000, checkoutWeek);
    for (let round = 0; round < 50; round++) {
      const durationMs = random.int(1, period.durationMs);
      const expected = weeklyRate({ ...period, durationMs }, 10_000, checkoutWeek).total;
      expect(Math.abs(rate.timeOf(expected) - durationMs)).toBeLessThan(1e-3);
    }
    expect(rate.timeOf(0)).toBe(0);
  });
});

describe("arrivals", () => {
  it("come in order within the period, as many as expected, spread as the rate says", () => {
    const rate = weeklyRate(singapore(monday, weekMs), 20_000, checkoutWeek);
    const times = [...drawArrivals(rate, createRandom(testSeed(), "arrivals"))];
    expect(Math.abs(times.length - rate.total)).toBeLessThan(6 * Math.sqrt(rate.total));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times[0]).toBeGreaterThanOrEqual(0);
    expect(times.at(-1)).toBeLessThan(weekMs);
    // Each tenth of the expected arrivals has a tenth of the arrivals, within six standard deviations.
    for (let tenth = 1; tenth < 10; tenth++) {
      const before = times.filter((time) => time < rate.timeOf((rate.total * tenth) / 10)).length;
      expect(Math.abs(before - (rate.total * tenth) / 10)).toBeLessThan(6 * Math.sqrt((rate.total * tenth) / 10));
    }
  });

  it("are the same for the same seed, and keep their order and number in a slower day", () => {
    const draw = (perWeek: number, count: number) => {
      const rate = weeklyRate(singapore(monday, weekMs), perWeek, checkoutWeek);
      return [...drawArrivals(rate, createRandom(1, "arrivals"))].slice(0, count);
    };
    expect(draw(2000, 5)).toEqual(draw(2000, 5));
    const [fast, slow] = [draw(2000, 100), draw(1000, 100)];
    for (const [index, time] of fast.entries()) expect(time).toBeLessThanOrEqual(slow[index] ?? 0);
  });
});

describe("stays", () => {
  it("have the median and the ninth decile that were asked for", () => {
    const stays = lognormalStays({ medianMs: 9 * hourMs, p90Ms: 40 * hourMs, longestMs: 30 * dayMs });
    expect(stays(0.5)).toBe(9 * hourMs);
    expect(Math.abs(stays(0.9) - 40 * hourMs)).toBeLessThan(10);
    expect(stays(1 - 1e-12)).toBe(30 * dayMs);
  });

  it("are those that were observed, each as often", () => {
    const stays = empiricalStays([30, 10, 20, 10]);
    expect([0.1, 0.3, 0.6, 0.9, 0.999].map(stays)).toEqual([10, 10, 20, 30, 30]);
    expect(() => empiricalStays([])).toThrow(/at least one/);
    expect(() => empiricalStays([-1])).toThrow(/-1/);
  });
});
