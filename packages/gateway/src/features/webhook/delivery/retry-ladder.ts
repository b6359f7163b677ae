const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;

/** When attempts are made, each after the one before, in ms: the ladder of Standard Webhooks, some 75 h in all. */
export const retryLadderMs: readonly number[] = [
  0,
  5 * secondMs,
  5 * minuteMs,
  30 * minuteMs,
  2 * hourMs,
  5 * hourMs,
  10 * hourMs,
  14 * hourMs,
  20 * hourMs,
  24 * hourMs,
];

/** A delay is made longer by up to this part of it, so that what failed together does not come back together. */
const jitter = 0.1;

/** The longest that an endpoint may ask for with `Retry-After`, in ms: the last rung. */
export const retryAfterMaxMs = 24 * hourMs;

/**
 * How long to wait before the next attempt, in ms, or undefined after the last.
 *
 * @param attempts how many were made
 * @param askedMs what the endpoint asked for with `Retry-After`; it makes the wait longer and never shorter
 * @param random a number in [0, 1)
 */
export function nextAttemptMs(attempts: number, askedMs: number | undefined, random: number): number | undefined {
  const rungMs = retryLadderMs[attempts];
  if (rungMs === undefined) return undefined;
  return Math.round(Math.max(rungMs * (1 + jitter * random), Math.min(askedMs ?? 0, retryAfterMaxMs)));
}

/** What a `Retry-After` header asks for, in ms: seconds or a date. Undefined where it says neither. */
export function parseRetryAfter(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  if (/^\d{1,9}$/.test(text)) return Number(text) * secondMs;
  const atMs = /^[A-Z][a-z]{2}, /.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}
