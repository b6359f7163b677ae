import { describe, expect, it } from "vitest";
import { afterRightPin, afterWrongPin, isLockedOut, type LockOut, noLockOut } from "./lock-out.ts";
import { mostTriesADay } from "./testing/optimal-guesser.ts";

const nowMs = Date.UTC(2026, 10, 24);

describe("the lock-out", () => {
  it("starts with the fifth wrong PIN, and doubles up to a quarter of an hour", () => {
    let lockOut: LockOut = noLockOut;
    const lengths: number[] = [];
    let atMs = nowMs;
    for (let wrong = 0; wrong < 12; wrong += 1) {
      lockOut = afterWrongPin(lockOut, atMs);
      lengths.push((lockOut.lockedUntilMs - atMs) / 1000);
      atMs = lockOut.lockedUntilMs;
    }
    expect(lengths).toEqual([0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900]);
  });

  it("ends exactly at its time", () => {
    const lockOut = { failures: 5, lastFailureMs: nowMs, lockedUntilMs: nowMs + 30_000 };
    expect([isLockedOut(lockOut, nowMs + 29_999), isLockedOut(lockOut, nowMs + 30_000)]).toEqual([true, false]);
  });

  it("is reset after an hour without wrong PINs", () => {
    const lockOut = { failures: 9, lastFailureMs: nowMs, lockedUntilMs: nowMs + 480_000 };
    expect(afterWrongPin(lockOut, nowMs + 3_599_999).failures).toBe(10);
    expect(afterWrongPin(lockOut, nowMs + 3_600_000)).toEqual({
      failures: 1,
      lastFailureMs: nowMs + 3_600_000,
      lockedUntilMs: nowMs + 3_600_000,
    });
  });

  it("subtracts one wrong PIN for each right one", () => {
    const lockOut = { failures: 9, lastFailureMs: nowMs, lockedUntilMs: nowMs + 480_000 };
    expect(afterRightPin(lockOut)).toEqual({ ...lockOut, failures: 8 });
    expect(afterRightPin({ ...lockOut, failures: 1 })).toEqual(noLockOut);
    expect(afterRightPin(noLockOut)).toEqual(noLockOut);
  });
});

describe("the budget of PINs", () => {
  // docs/credentials.md states these numbers.
  it("is fewer than 200 tries a day for an optimal guesser, plus one for each right PIN", () => {
    const tries = mostTriesADay(50);
    expect(tries[0]).toBe(199);
    for (const [rightPins, most] of tries.entries()) expect(most, `${rightPins} right PINs`).toBeLessThanOrEqual(199 + rightPins);
    expect(tries[50]).toBe(249);
  });

  it("lets one of 50 valid PINs be guessed with a probability of at most 1 in 8,000 a day, including 50 collections a day", () => {
    const chance = (mostTriesADay(50)[50] ?? 0) * 50 * 1e-8;
    expect(chance).toBeLessThan(1 / 8000);
  });
});
