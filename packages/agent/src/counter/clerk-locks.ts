import { afterRightPin, afterWrongPin, isLockedOut, type LockOut, noLockOut } from "../decision/lock-out.ts";
import type { CounterRecords } from "../store/counter-records.ts";

/** The lock-outs of a store's clerks and tablets, by the rules of those of PINs at a door. */
export interface ClerkLocks {
  /** How long any of these is locked, in ms. 0: none is. */
  leftMs(subjects: readonly string[]): number;
  /** Counts a wrong PIN for each. On disk when it returns. */
  wrong(subjects: readonly string[]): void;
  /** Takes back one wrong PIN of each. */
  right(subjects: readonly string[]): void;
}

/**
 * Makes them. What is left of a lock-out is on disk and lasts that long anew after a restart, so neither a power cut nor a change of the clock gives more tries.
 *
 * @param elapsedMs a clock that only goes on, in ms since any instant
 */
export function createClerkLocks(records: Pick<CounterRecords, "lock" | "saveLock">, elapsedMs: () => number): ClerkLocks {
  const known = new Map<string, LockOut>();

  function of(subject: string): LockOut {
    const before = known.get(subject);
    if (before !== undefined) return before;
    const { failures = 0, leftMs = 0 } = records.lock(subject) ?? {};
    const nowMs = elapsedMs();
    return failures === 0 ? noLockOut : { failures, lastFailureMs: nowMs, lockedUntilMs: nowMs + leftMs };
  }

  function save(subject: string, lockOut: LockOut): void {
    if (lockOut.failures === 0) known.delete(subject);
    else known.set(subject, lockOut);
    records.saveLock(subject, { failures: lockOut.failures, leftMs: Math.max(0, lockOut.lockedUntilMs - elapsedMs()) });
  }

  return {
    leftMs(subjects) {
      const nowMs = elapsedMs();
      return Math.max(0, ...subjects.map(of).map((lockOut) => (isLockedOut(lockOut, nowMs) ? lockOut.lockedUntilMs - nowMs : 0)));
    },
    wrong(subjects) {
      for (const subject of subjects) save(subject, afterWrongPin(of(subject), elapsedMs()));
    },
    right(subjects) {
      for (const subject of subjects) save(subject, afterRightPin(of(subject)));
    },
  };
}
