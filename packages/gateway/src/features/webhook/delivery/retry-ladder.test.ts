import { createRandom, testSeed } from "@petak/testkit";
import { describe, expect, it } from "vitest";
import { nextAttemptMs, parseRetryAfter, retryAfterMaxMs, retryLadderMs } from "./retry-ladder.ts";

describe("the retry ladder", () => {
  it("makes ten attempts over 75 hours", () => {
    expect(retryLadderMs.length).toBe(10);
    const totalMs = retryLadderMs.reduce((sum, rungMs) => sum + rungMs, 0);
    expect(totalMs / 3_600_000).toBeCloseTo(75.58, 1);
    expect(nextAttemptMs(10, undefined, 0)).toBeUndefined();
  });

  it("waits each rung, and up to a tenth longer", () => {
    const random = createRandom(testSeed());
    for (const [attempts, rungMs] of retryLadderMs.entries()) {
      const waitMs = nextAttemptMs(attempts, undefined, random.float()) ?? -1;
      expect(waitMs).toBeGreaterThanOrEqual(rungMs);
      expect(waitMs).toBeLessThanOrEqual(rungMs * 1.1 + 1);
    }
  });

  it("waits as long as the endpoint asks for, never shorter than its rung and never longer than a day", () => {
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
