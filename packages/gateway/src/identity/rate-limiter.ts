/** Limits the request rate of keys. */
export interface RateLimiter {
  /** Counts a request. Returns 0 if it is allowed, or else the delay until another one is, in ms. */
  take(key: string, requestsPerSecond: number): number;
  readonly size: number;
}

interface Bucket {
  /** Allowed requests. Range: [0, requestsPerSecond]. */
  level: number;
  filledAtMs: number;
}

/**
 * Creates a token bucket limiter with bursts of one second's requests. It keeps at most `max` keys and evicts the least recently used: an evicted key
 * starts with a full burst again, which happens only if more than `max` keys are in use.
 */
export function createRateLimiter(options: { now: () => number; max: number }): RateLimiter {
  const { now, max } = options;
  const buckets = new Map<string, Bucket>();
  return {
    take(key, requestsPerSecond) {
      const nowMs = now();
      const before = buckets.get(key) ?? { level: requestsPerSecond, filledAtMs: nowMs };
      const elapsedMs = Math.max(0, nowMs - before.filledAtMs);
      const level = Math.min(requestsPerSecond, before.level + (elapsedMs * requestsPerSecond) / 1000);
      const isAllowed = level >= 1;
      buckets.delete(key);
      buckets.set(key, { level: isAllowed ? level - 1 : level, filledAtMs: nowMs });
      if (buckets.size > max) {
        const [oldest] = buckets.keys();
        if (oldest !== undefined) buckets.delete(oldest);
      }
      return isAllowed ? 0 : Math.ceil(((1 - level) * 1000) / requestsPerSecond);
    },
    get size() {
      return buckets.size;
    },
  };
}
