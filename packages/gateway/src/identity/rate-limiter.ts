/** Counts requests by key. */
export interface RateLimiter {
  /** Takes one request from a key's allowance: 0 where it may go on, else after how many ms another may. */
  take(key: string, requestsPerSecond: number): number;
  readonly size: number;
}

interface Bucket {
  /** Requests that may come at once. Range: [0, requestsPerSecond]. */
  level: number;
  filledAtMs: number;
}

/**
 * Makes a limiter that lets a key have one second's requests at once and its rate from then on. It remembers at most `max` keys, the
 * least recently used forgotten first: a key that is forgotten begins again with one second's requests, which the keys in use outnumber
 * only where there are more than `max` of them.
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
