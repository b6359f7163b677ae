import { createRandom, testSeed } from "@petak/testkit";
import { expect, test } from "vitest";
import { arrivalTimes } from "./arrivals.ts";

test("even arrivals keep the rate to a request, at equal distances", () => {
  const times = arrivalTimes("even", 4000, 2, () => 0.5);
  expect(Math.abs(times.length - 8000)).toBeLessThanOrEqual(1);
  for (let index = 1; index < times.length; index++) expect((times[index] as number) - (times[index - 1] as number)).toBeCloseTo(0.25);
});

test("random arrivals keep the rate on average, and as many of their distances are beyond the mean as of an exponential", () => {
  const random = createRandom(testSeed());
  const times = arrivalTimes("random", 1000, 50, () => random.float());
  expect(times.length / 50_000).toBeCloseTo(1, 1);
  const gaps = [...times].slice(1).map((time, index) => time - (times[index] as number));
  expect(gaps.filter((gap) => gap > 1).length / gaps.length).toBeCloseTo(Math.exp(-1), 1);
});
