import { expect, it } from "vitest";
import { intentionOf } from "../run/testing/tiny-city.ts";
import { defaultActors, noFaults } from "./parameters.ts";
import { wantedHour } from "./wanted-hour.ts";

it("the hour for which somebody looks has whole ms, whatever moment of the wall clock it is", () => {
  const city = { parameters: { ...defaultActors, asksOpenShare: 1 }, faults: noFaults, startAtMs: 1_795_000_000_000 };
  const delivery = intentionOf(1, 0, { purpose: "DELIVERY", depositAfterMs: 1000, stayMs: 500 });
  expect(wantedHour(city, delivery, 10.4)).toBe(1_795_000_001_510);
  expect(wantedHour(city, { ...delivery, purpose: "RETURN" }, 10.6)).toBe(1_795_000_001_011);
  expect(wantedHour(city, { ...delivery, stayMs: null }, 10.6)).toBeUndefined();
});
