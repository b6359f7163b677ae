import { describe, expect, it } from "vitest";
import { afterWrongPin, isLockedOut, type LockOut, noLockOut } from "./lock-out.ts";

const nowMs = Date.UTC(2026, 10, 24);

describe("the lock-out", () => {
  it("lets people mistype four times, and doubles from the fifth on up to a quarter of an hour", () => {
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

  it("ends at its time exactly", () => {
    const lockOut = { failures: 5, lastFailureMs: nowMs, lockedUntilMs: nowMs + 30_000 };
    expect([isLockedOut(lockOut, nowMs + 29_999), isLockedOut(lockOut, nowMs + 30_000)]).toEqual([true, false]);
  });

  it("is forgotten after a quiet hour", () => {
    const lockOut = { failures: 9, lastFailureMs: nowMs, lockedUntilMs: nowMs + 480_000 };
    expect(afterWrongPin(lockOut, nowMs + 3_599_999).failures).toBe(10);
    expect(afterWrongPin(lockOut, nowMs + 3_600_000)).toEqual({
      failures: 1,
      lastFailureMs: nowMs + 3_600_000,
      lockedUntilMs: nowMs + 3_600_000,
    });
  });

  it("leaves the cleverest guesser fewer than 200 tries a day", () => {
    const triesOf = (patience: number) => {
      let tries = 0;
      let lockOut: LockOut = noLockOut;
      for (let atMs = nowMs; atMs < nowMs + 86_400_000; tries += 1) {
        lockOut = afterWrongPin(lockOut, atMs);
        // After so many wrong ones the guesser waits until they are forgotten.
        atMs = lockOut.failures >= patience ? atMs + 3_600_000 : Math.max(lockOut.lockedUntilMs, atMs + 1);
      }
      return tries;
    };
    for (let patience = 1; patience <= 200; patience += 1) expect(triesOf(patience), String(patience)).toBeLessThan(200);
  });
});
