import { createFrozenClock } from "@petak/testkit";
import { beforeEach, expect, it } from "vitest";
import { createOutage, type Outage, remindMs } from "./outage.ts";

const clock = createFrozenClock();
let reports: string[];
let beganMs: number;
let outage: Outage;

beforeEach(() => {
  reports = [];
  beganMs = clock.now();
  outage = createOutage({
    now: clock.now,
    reportAfterMs: () => 200,
    steadyMs: 1000,
    onStarted: (sinceMs) => reports.push(`started at ${sinceMs - beganMs}`),
    onOngoing: (sinceMs) => reports.push(`ongoing since ${sinceMs - beganMs}`),
    onEnded: (sinceMs, untilMs, wasReported) =>
      reports.push(`ended, ${sinceMs - beganMs} to ${untilMs - beganMs}${wasReported ? "" : ", not reported before"}`),
  });
});

/** Records a failure, or a success, every 100 ms for `ms`. */
function repeat(result: "fails" | "works", ms: number): void {
  for (let passedMs = 0; passedMs < ms; passedMs += 100) {
    outage[result]();
    clock.advance(100);
  }
}

it("is reported once at its start, once a minute while it goes on, and once at its end", () => {
  repeat("fails", 2 * remindMs + 1000);
  repeat("works", 1500);
  expect(reports).toEqual(["started at 0", "ongoing since 0", "ongoing since 0", "ended, 0 to 121000"]);
  expect(outage).toMatchObject({ isOpen: false, isFailing: false });
});

it("is reported at its end only if it was short", () => {
  repeat("fails", 200);
  repeat("works", 1500);
  expect(reports).toEqual(["ended, 0 to 200, not reported before"]);
});

it("is a single outage if failures are intermittent", () => {
  for (let round = 0; round < 20; round++) {
    repeat("fails", 300);
    repeat("works", 900);
  }
  repeat("works", 200);
  expect(reports).toEqual(["started at 0", `ended, 0 to ${20 * 1200 - 900}`]);
});

it("starts at the given time, and does not start with a success", () => {
  outage.works();
  expect(outage.isOpen).toBe(false);
  outage.fails(clock.now() - 2000);
  expect(reports).toEqual(["started at -2000"]);
  outage.works();
  expect(outage).toMatchObject({ isOpen: true, isFailing: false });
});
