import { expect, test } from "vitest";
import { assumptions } from "./assumptions.ts";
import { estimateScale, type MeasuredCosts } from "./estimate-scale.ts";
import { scaleText } from "./scale-text.ts";

const costs: MeasuredCosts = {
  lookMicros: 100,
  reserveMicros: 500,
  redisReserveMicros: 100,
  warmQueryMicros: 0.5,
  queriesPerHold: 10,
  siteBytes: 600,
  reservationBytes: 800,
};

/** Round numbers, so that every step can be checked by eye. */
const assumed = {
  people: 73_000_000,
  parcelsPerPersonAndYear: 10,
  outOfHomeShare: 0.5,
  peakDayFactor: 3.6,
  peakHourShare: 0.1,
  looksPerReservation: 10,
  furtherChanges: 3,
  countChanges: 2,
  daysKept: 2,
  placesPerSite: 36,
  headroom: 0.5,
  bytesPerMaster: 1e9,
};

test("estimates cores from people, step by step", () => {
  const scale = estimateScale(costs, assumed);
  expect(scale.parcelsPerDay).toBeCloseTo(2e6);
  expect(scale.peakDayReservations).toBeCloseTo(3.6e6);
  expect(scale.reservationsPerSecond).toBeCloseTo(100);
  expect(scale.looksPerSecond).toBeCloseTo(1000);
  expect(scale.changesPerSecond).toBeCloseTo(400);
  expect(scale.sites).toBeCloseTo(100_000);
  // 1000 × 100 µs and 400 × 500 µs a second, half of each core idle.
  expect(scale.lookCores).toBeCloseTo(0.1);
  expect(scale.changeCores).toBeCloseTo(0.2);
  expect(scale.gatewayCores).toBe(1);
  // 400 × 100 µs; 200 changes of what is free × 0.5 µs × 10 × one gateway.
  expect(scale.redisChangeCores).toBeCloseTo(0.04);
  expect(scale.redisInvalidationCores).toBeCloseTo(0.001);
  expect(scale.mastersByProcessor).toBe(1);
  // 60 MB of sites, and 7.2 million reservations of 800 bytes.
  expect(scale.memoryBytes).toBeCloseTo(60e6 + 5.76e9);
  expect(scale.mastersByMemory).toBe(12);
  expect(scale.masters).toBe(12);
});

test("estimates the capacity of one core and one master", () => {
  const scale = estimateScale(costs, assumed);
  expect(scale.looksPerCore).toBe(5000);
  expect(scale.reservationsPerCore).toBe(1000);
  expect(scale.reservationsPerMaster).toBeCloseTo(500_000 / (4 * 100 + 2 * 5));
  expect(scale.sitesPerMaster).toBeCloseTo(500e6 / 600);
});

test("more gateways cost Redis more, because each is informed of changes", () => {
  const more = estimateScale(costs, { ...assumed, people: assumed.people * 20 });
  expect(more.gatewayCores).toBe(12);
  expect(more.redisInvalidationCores / more.redisChangeCores).toBeCloseTo((12 * 0.001) / 0.04);
});

test("the section names the result and every assumption", () => {
  const text = scaleText(costs, assumptions, estimateScale(costs, assumptions));
  expect(text).not.toMatch(/NaN|undefined|Infinity/);
  expect(text).toContain(`**${estimateScale(costs, assumptions).gatewayCores} cores of gateway`);
  expect(text).toContain("650,000,000 people");
});
