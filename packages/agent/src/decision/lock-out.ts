/**
 * How a site answers wrong PINs: for all PINs together, because a guesser tries them all, and never for token holders, who have proven
 * what they hold.
 */
export interface LockOut {
  /** Wrong PINs that count: every right one takes one back, a quiet hour all. */
  readonly failures: number;
  /** When the last wrong one came, in ms. */
  readonly lastFailureMs: number;
  /** Until when no PIN is looked at, in ms. */
  readonly lockedUntilMs: number;
}

/** No wrong PIN yet. */
export const noLockOut: LockOut = { failures: 0, lastFailureMs: 0, lockedUntilMs: 0 };

/** So many wrong PINs cost nothing: people mistype. */
export const freeFailures = 5;

/** The first lock-out, in ms. It doubles with every further wrong PIN. */
export const firstLockOutMs = 30_000;

/**
 * The longest lock-out, in ms. With it a guesser has fewer than 200 tries a day, and one more for each right PIN that others type: one of
 * 50 live PINs falls in some 27 years.
 */
export const longestLockOutMs = 900_000;

/** After so long without a wrong PIN, in ms, the count begins anew: yesterday's attack must not lock out today's first typing error. */
const forgottenAfterMs = 3_600_000;

/**
 * Whether no PIN is looked at now. A lock-out that would last longer than the longest was written down before the gateway set the clock back,
 * perhaps by years, and is over: the count stays, so the next wrong PIN locks again.
 */
export function isLockedOut(lockOut: LockOut, nowMs: number): boolean {
  const remainingMs = lockOut.lockedUntilMs - nowMs;
  return remainingMs > 0 && remainingMs <= longestLockOutMs;
}

/** The state after one more wrong PIN. */
export function afterWrongPin(lockOut: LockOut, nowMs: number): LockOut {
  const isForgotten = nowMs >= lockOut.lastFailureMs + forgottenAfterMs;
  const failures = (isForgotten ? 0 : lockOut.failures) + 1;
  const excess = failures - freeFailures;
  const lockOutMs = excess < 0 ? 0 : Math.min(longestLockOutMs, firstLockOutMs * 2 ** excess);
  return { failures, lastFailureMs: nowMs, lockedUntilMs: nowMs + lockOutMs };
}

/**
 * The state after a right PIN. It takes back one wrong one and no more: were the count to begin anew, a guesser would only have to wait for
 * the next customer, and at a busy site have hundreds of tries more a day.
 */
export function afterRightPin(lockOut: LockOut): LockOut {
  return lockOut.failures <= 1 ? noLockOut : { ...lockOut, failures: lockOut.failures - 1 };
}
