const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;

/** Delays before the attempts, in ms, each after the previous attempt: the schedule of Standard Webhooks, about 75 h in total. */
export const backoffScheduleMs: readonly number[] = [
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

/** Largest random extension of a delay, as a fraction, so that deliveries that failed together are not retried together. */
const jitter = 0.1;

/** Longest delay that an endpoint may request with `Retry-After`, in ms: the last delay of the schedule. */
export const retryAfterMaxMs = 24 * hourMs;

/**
 * The delay before the next attempt, in ms. Undefined after the last attempt.
 *
 * @param attempts number of attempts so far
 * @param askedMs delay that the endpoint requested with `Retry-After`, in ms. It can only extend the delay
 * @param random a number in [0, 1)
 */
export function nextAttemptMs(attempts: number, askedMs: number | undefined, random: number): number | undefined {
  const delayMs = backoffScheduleMs[attempts];
  if (delayMs === undefined) return undefined;
  return Math.round(Math.max(delayMs * (1 + jitter * random), Math.min(askedMs ?? 0, retryAfterMaxMs)));
}

/** Parses a `Retry-After` header, seconds or a date, into a delay in ms. Undefined if it is neither. */
export function parseRetryAfter(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  if (/^\d{1,9}$/.test(text)) return Number(text) * secondMs;
  const atMs = /^[A-Z][a-z]{2}, /.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}
