import { createRandom, testSeed } from "@petak/testkit";
import { describe, expect, it } from "vitest";
import { backoffScheduleMs, nextAttemptMs, parseRetryAfter, retryAfterMaxMs } from "./backoff-schedule.ts";

describe("the backoff schedule", () => {
  it("makes ten attempts over 75 hours", () => {
    expect(backoffScheduleMs.length).toBe(10);
    const totalMs = backoffScheduleMs.reduce((sum, delayMs) => sum + delayMs, 0);
    expect(totalMs / 3_600_000).toBeCloseTo(75.58, 1);
    expect(nextAttemptMs(10, undefined, 0)).toBeUndefined();
  });

  it("delays each attempt by its entry and up to a tenth more", () => {
    const random = createRandom(testSeed());
    for (const [attempts, delayMs] of backoffScheduleMs.entries()) {
      const waitMs = nextAttemptMs(attempts, undefined, random.float()) ?? -1;
      expect(waitMs).toBeGreaterThanOrEqual(delayMs);
      expect(waitMs).toBeLessThanOrEqual(delayMs * 1.1 + 1);
    }
  });

  it("delays as long as the endpoint requests, not less than its entry and at most a day", () => {
    expect(nextAttemptMs(1, 60_000, 0)).toBe(60_000);
    expect(nextAttemptMs(2, 1000, 0)).toBe(300_000);
    expect(nextAttemptMs(1, 1e12, 0)).toBe(retryAfterMaxMs);
  });
});

describe("Retry-After", () => {
  const nowMs = Date.UTC(2026, 5, 1);
  it.each<[string | undefined, number | undefined]>([
    ["120", 120_000],
    ["0", 0],
    ["Mon, 01 Jun 2026 00:01:00 GMT", 60_000],
    ["Sun, 31 May 2026 00:00:00 GMT", 0],
    ["soon", undefined],
    ["-1", undefined],
    ["1.5", undefined],
    ["9999999999", undefined],
    ["", undefined],
    [undefined, undefined],
  ])("%s asks for %s ms", (header, wantedMs) => {
    expect(parseRetryAfter(header, nowMs)).toBe(wantedMs);
  });
});
