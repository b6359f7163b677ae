import { type LockOut, noLockOut } from "../decision/lock-out.ts";
import type { AgentLogger } from "../logger.ts";
import type { AgentStore } from "../store/agent-store.ts";
import type { After } from "../timer.ts";

/** The lock-out of a site's PINs, by a clock that nobody can set. */
export interface PinLocks {
  /** The lock-out in times of the clock that shows `nowMs` now. */
  at(nowMs: number): LockOut;
  /** Puts on disk what a decision made of the lock-out that {@link at} returned last. */
  save(lockOut: LockOut): void;
  stop(): void;
}

/**
 * Keeps a lock-out. Wrong PINs, and what is left of the lock-out when they come, are on disk; at the start it lasts that long anew, and the hour after which wrong
 * PINs are forgotten begins anew. So neither a power cut nor a change of the device's clock gives more tries.
 *
 * @param elapsedMs a clock that only goes on, in ms since any instant
 */
export function createPinLocks(options: { store: AgentStore; elapsedMs: () => number; after: After; logger: AgentLogger }): PinLocks {
  const { store, elapsedMs, after, logger } = options;
  const stored = store.lockOut();
  let { failures } = stored;
  let lastFailureMs = elapsedMs();
  let lockedUntilMs = lastFailureMs + stored.leftMs;
  /** The lead of the decision's clock. */
  let aheadMs = 0;
  let cancelEnd: (() => void) | undefined;
  scheduleEnd();

  /** Records that a lock-out is over, so that a later restart does not begin it anew. */
  function scheduleEnd(): void {
    cancelEnd?.();
    const leftMs = lockedUntilMs - elapsedMs();
    cancelEnd = leftMs <= 0 ? undefined : after(leftMs, recordEnd);
  }

  function recordEnd(): void {
    if (elapsedMs() < lockedUntilMs) {
      scheduleEnd();
      return;
    }
    try {
      store.saveLockOut({ failures, leftMs: 0 });
    } catch (error) {
      logger.warn({ err: error }, "the end of a lock-out could not be recorded: a restart begins it anew");
    }
  }

  return {
    at(nowMs) {
      aheadMs = nowMs - elapsedMs();
      if (failures === 0) return noLockOut;
      return { failures, lastFailureMs: lastFailureMs + aheadMs, lockedUntilMs: lockedUntilMs + aheadMs };
    },
    save(lockOut) {
      ({ failures } = lockOut);
      lastFailureMs = lockOut.lastFailureMs - aheadMs;
      lockedUntilMs = lockOut.lockedUntilMs - aheadMs;
      store.saveLockOut({ failures, leftMs: Math.ceil(Math.max(0, lockedUntilMs - elapsedMs())) });
      scheduleEnd();
    },
    stop: () => cancelEnd?.(),
  };
}
