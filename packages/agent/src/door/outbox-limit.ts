import type { AgentLogger } from "../logger.ts";
import type { AgentStore } from "../store/agent-store.ts";
import { isStorageError } from "../store/values.ts";

/** Keeps reports from filling the disk while the gateway does not take them. */
export interface OutboxLimit {
  /** Whether what is left is for parcels that are inside: nothing goes in, and refusals are counted in memory. */
  isFull(): boolean;
  /** Whether nothing is left: no door opens. */
  isExhausted(): boolean;
  /** Looks whether it has become full, or has room again. */
  check(): void;
}

/**
 * Reports that wait for the gateway before no door opens any more. A terminal of 200 doors makes 1200 of parcels a day, and strangers at its doors can cause 1100: room
 * for three weeks of both, in 35 MB.
 */
export const unsentReportsMax = 50_000;

/** Makes it. The last tenth is for parcels that are inside. */
export function createOutboxLimit(options: {
  store: Pick<AgentStore, "outbox">;
  /** At least 10. */
  reportsMax: number;
  logger: AgentLogger;
  onFull: () => void;
  onRoom: () => void;
}): OutboxLimit {
  const { reportsMax, logger, onFull, onRoom } = options;
  const { outbox } = options.store;
  let wasFull = false;

  const unsent = () => outbox.lastSequence() - outbox.acknowledgedSequence();
  const isFull = () => unsent() >= reportsMax - Math.floor(reportsMax / 10);

  function check(): void {
    const isNowFull = isFull();
    if (isNowFull === wasFull) return;
    wasFull = isNowFull;
    if (isNowFull) {
      logger.error({ unsent: unsent(), reportsMax }, "too many reports wait for the gateway: until it takes some, nothing goes in");
      onFull();
    } else {
      logger.info({ unsent: unsent() }, "the gateway has taken reports: parcels go in again");
      onRoom();
    }
  }

  return {
    isFull,
    isExhausted: () => unsent() >= reportsMax,
    check() {
      try {
        check();
      } catch (error) {
        // A disk that cannot be read is noticed at the door.
        if (!isStorageError(error)) throw error;
      }
    },
  };
}
