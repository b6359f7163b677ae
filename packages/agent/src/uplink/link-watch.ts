import { ConditionKind } from "@petak/protocol";
import type { SiteClock } from "../clock.ts";
import type { Conditions } from "../door/conditions.ts";
import type { AgentStore } from "../store/agent-store.ts";
import { isStorageError } from "../store/values.ts";

/** Least time without the gateway that is told, in ms. */
export const linkLostMs = 3_600_000;

/** How far the time on disk may lag behind, in ms. */
const savedEveryMs = 600_000;

/**
 * Makes what notes how long the gateway was not reached, also while the device had no power.
 *
 * @returns to be called after each attempt, with whether the gateway was reached; the clock is then the gateway's
 */
export function createLinkWatch(options: {
  store: Pick<AgentStore, "conditions">;
  clock: Pick<SiteClock, "nowMs">;
  conditions: Pick<Conditions, "note">;
}): (isReached: boolean) => void {
  const { clock, conditions } = options;
  const records = options.store.conditions;
  let reachedAtMs = records.reachedAtMs();
  let savedAtMs = reachedAtMs;
  let isLost = true;

  function save(nowMs: number): void {
    try {
      records.saveReachedAt(nowMs);
      savedAtMs = nowMs;
    } catch (error) {
      // Another time.
      if (!isStorageError(error)) throw error;
    }
  }

  return (isReached) => {
    if (!isReached) {
      isLost = true;
      return;
    }
    const nowMs = clock.nowMs();
    if (isLost && reachedAtMs > 0 && nowMs >= reachedAtMs + linkLostMs)
      conditions.note({ kind: ConditionKind.LINK_LOST, sinceMs: reachedAtMs });
    isLost = false;
    reachedAtMs = nowMs;
    if (Math.abs(nowMs - savedAtMs) > savedEveryMs) save(nowMs);
  };
}
