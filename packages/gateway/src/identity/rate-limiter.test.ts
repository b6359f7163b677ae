import fc from "fast-check";
import { expect, it } from "vitest";
import { createRateLimiter } from "./rate-limiter.ts";

it("never admits more than one second's requests as a burst and the rate afterwards", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(300), { maxLength: 200 }), fc.integer({ min: 1, max: 50 }), (steps, rate) => {
      let nowMs = 1_000_000;
      const limiter = createRateLimiter({ now: () => nowMs, max: 10 });
      let allowed = 0;
      for (const step of steps) {
        nowMs += step;
        if (limiter.take("a", rate) === 0) allowed += 1;
        expect(allowed).toBeLessThanOrEqual(rate + ((nowMs - 1_000_000) * rate) / 1000 + 1e-6);
      }
    }),
  );
});

it("admits a request after the delay that it returned", () => {
  let nowMs = 0;
  const limiter = createRateLimiter({ now: () => nowMs, max: 10 });
  for (let request = 0; request < 3; request += 1) expect(limiter.take("a", 3)).toBe(0);
  const retryAfterMs = limiter.take("a", 3);
  expect(retryAfterMs).toBe(334);
  nowMs += retryAfterMs;
  expect(limiter.take("a", 3)).toBe(0);
});

it("keeps a limited number of keys and evicts the least recently used", () => {
  const limiter = createRateLimiter({ now: () => 0, max: 2 });
  for (const key of ["a", "b", "a", "c"]) limiter.take(key, 2);
  expect(limiter.size).toBe(2);
  expect(limiter.take("a", 2)).toBe(500);
});
