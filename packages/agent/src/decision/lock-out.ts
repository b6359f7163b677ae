/**
 * A site's defence against guessing of PINs. It applies to all PINs together, because a guesser tries them all, and never to tokens.
 */
export interface LockOut {
  /** Counted wrong PINs. A right PIN subtracts one; an hour without wrong PINs resets the count. */
  readonly failures: number;
  /** Time of the last wrong PIN, in ms. It and {@link lockedUntilMs} are by a clock that nobody can set, shown as the time of the decision. */
  readonly lastFailureMs: number;
  /** Until when all PINs are refused, in ms. */
  readonly lockedUntilMs: number;
}

/** The state without wrong PINs. */
export const noLockOut: LockOut = { failures: 0, lastFailureMs: 0, lockedUntilMs: 0 };

/** The lock-out starts with this wrong PIN; earlier ones are free, since people mistype. */
const firstLockingFailure = 5;

/** Duration of the first lock-out, in ms. It doubles with every further wrong PIN. */
export const firstLockOutMs = 30_000;

/**
 * Longest lock-out, in ms. It leaves a guesser fewer than 200 tries a day, plus one for each right PIN of other people: with 50 valid PINs, a success takes some
 * 27 years on average.
 */
export const longestLockOutMs = 900_000;

/** Time without wrong PINs after which the count is reset, in ms, so that yesterday's attack does not lock out today's first typing error. */
const forgottenAfterMs = 3_600_000;

/** Whether PINs are refused at a time. */
export function isLockedOut({ lockedUntilMs }: LockOut, nowMs: number): boolean {
  return nowMs < lockedUntilMs;
}

/** The state after one more wrong PIN. */
export function afterWrongPin(lockOut: LockOut, nowMs: number): LockOut {
  const isForgotten = nowMs >= lockOut.lastFailureMs + forgottenAfterMs;
  const failures = (isForgotten ? 0 : lockOut.failures) + 1;
  const excess = failures - firstLockingFailure;
  const lockOutMs = excess < 0 ? 0 : Math.min(longestLockOutMs, firstLockOutMs * 2 ** excess);
  return { failures, lastFailureMs: nowMs, lockedUntilMs: nowMs + lockOutMs };
}

/**
 * The state after a right PIN. It subtracts only one wrong PIN: if it reset the count, a guesser at a busy site would have hundreds more tries a day.
 */
export function afterRightPin(lockOut: LockOut): LockOut {
  return lockOut.failures <= 1 ? noLockOut : { ...lockOut, failures: lockOut.failures - 1 };
}
