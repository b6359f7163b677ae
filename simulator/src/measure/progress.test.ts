import { createRandom, testSeed } from "@petak/testkit";
import { describe, expect, it } from "vitest";
import type { Observation, SiteSampled } from "../observe/observation.ts";
import { Places } from "./places.ts";
import { RecentCalls } from "./recent-calls.ts";

describe("recent calls", () => {
  it("are those that ended in the last ten seconds, whatever came before and in whatever order they end", () => {
    const random = createRandom(testSeed());
    const calls = new RecentCalls();
    const observed: { doneMs: number; latencyMs: number; isFailed: boolean }[] = [];
    let nowMs = 0;
    for (let step = 0; step < 60; step++) {
      for (let number = random.int(0, 40); number > 0; number--) {
        const one = {
          doneMs: Math.max(0, nowMs - random.float(0, 5000)),
          latencyMs: 10 ** random.float(-1, 4),
          isFailed: random.int(0, 5) === 0,
        };
        observed.push(one);
        const { doneMs } = one;
        const dueMs = doneMs - one.latencyMs;
        calls.observe({
          kind: "call",
          intention: 1,
          operation: "find",
          atMs: 0,
          dueMs,
          sentMs: dueMs,
          doneMs,
          outcome: one.isFailed ? "INTERNAL" : "OK",
        });
      }
      const find = calls.view(nowMs).get("find");
      const second = (ms: number) => Math.floor(ms / 1000);
      const recent = observed.filter(({ doneMs }) => second(doneMs) >= second(nowMs) - 10);
      const sorted = recent.map(({ latencyMs }) => latencyMs).sort((a, b) => a - b);
      const expectedMs = (percent: number) => sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? 0;
      expect(find?.failed ?? 0).toBe(recent.filter(({ isFailed }) => isFailed).length);
      for (const [percent, ms] of [
        [50, find?.p50Ms ?? 0],
        [99, find?.p99Ms ?? 0],
      ] as const) {
        expect(Math.abs(ms - expectedMs(percent))).toBeLessThanOrEqual(expectedMs(percent) * 0.01 + 0.001);
      }
      const seconds = Array.from({ length: 60 }, (_, index) => second(nowMs) - 60 + index);
      expect(find?.lastMinuteP99Ms.map((ms) => ms !== undefined) ?? []).toEqual(
        observed.length === 0 ? [] : seconds.map((one) => observed.some(({ doneMs }) => second(doneMs) === one)),
      );
      nowMs += random.pick([0, 250, 1000, 3000, 20_000]);
    }
  });
});

describe("places", () => {
  const seen = {
    kind: "site",
    atMs: 0,
    ref: "",
    name: "",
    operatorId: "",
    isStore: false,
    hasDoor: true,
    isActive: true,
    latitude: 0,
    longitude: 0,
  } as const;
  const sizeClass = (installed: number) => ({ sizeClassId: "m", widthMm: 1, heightMm: 1, depthMm: 1, maxMassG: 1, installed });
  const site = (siteId: string): Observation => ({
    ...seen,
    siteId,
    timeZone: "Asia/Singapore",
    sizeClasses: [sizeClass(4), sizeClass(6)],
  });
  const given = (reservationId: string, siteId: string): Observation => ({
    kind: "given",
    intention: 1,
    atMs: 0,
    reservationId,
    siteId,
    sizeClassId: "m",
  });
  const freed = (reservationId: string): Observation => ({ kind: "freed", intention: 1, atMs: 0, reservationId });
  const counts = (siteId: string, inService: number, freeToPromise: number): SiteSampled => {
    const sizeClasses = [{ sizeClassId: "m", installed: 10, inService, occupied: 0, held: 0, occupiedByOthers: 0, freeToPromise }];
    return { kind: "counts", atMs: 0, siteId, isKnown: true, observedAtMs: 0, publishedAtMs: 0, sizeClasses };
  };
  const after = (...observations: Observation[]) => {
    const places = new Places();
    for (const observation of observations) places.observe(observation);
    return places.inUse();
  };

  it("in use are those that the run has been given and that were not freed", () => {
    expect(after(site("a"), site("b"), given("1", "a"), given("2", "b"), given("3", "b"), freed("2"), freed("2"))).toEqual({
      inService: 20,
      inUse: 2,
    });
  });

  it("in use are also those of others, by the last counts of a site, and what was given and freed since", () => {
    expect(after(site("a"), given("1", "a"), counts("a", 9, 3), given("2", "a"))).toEqual({ inService: 9, inUse: 7 });
    expect(after(site("a"), given("1", "a"), counts("a", 9, 3), freed("1"))).toEqual({ inService: 9, inUse: 5 });
    expect(after(site("a"), { ...counts("a", 9, 3), isKnown: false })).toEqual({ inService: 10, inUse: 0 });
  });
});
