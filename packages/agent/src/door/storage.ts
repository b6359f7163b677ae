import type { SiteClock } from "../clock.ts";
import type { AgentLogger } from "../logger.ts";
import type { AgentStore } from "../store/agent-store.ts";
import { isStorageError } from "../store/values.ts";

/** Whether the agent's disk takes what must be written before a door may open. */
export interface Storage {
  /** Whether a change has failed since the disk was last seen to take one. */
  isBroken(): boolean;
  /** Whether the disk takes changes, as far as is known. While it is broken, tries one. */
  canWrite(): boolean;
  /** Records a failure of the disk, and throws any other error. */
  failed(error: unknown): void;
}

/** Makes it. */
export function createStorage(options: {
  store: Pick<AgentStore, "probe">;
  clock: Pick<SiteClock, "nowMs">;
  logger: AgentLogger;
  /** Called when a change fails, until the disk takes one again. */
  onBroken: () => void;
  /** Called when the disk takes changes again. @param sinceMs when the first one failed, in ms */
  onMended: (sinceMs: number) => void;
}): Storage {
  const { store, clock, logger, onBroken, onMended } = options;
  let brokenSinceMs: number | undefined;

  function failed(error: unknown): void {
    if (!isStorageError(error)) throw error;
    if (brokenSinceMs !== undefined) return;
    logger.error({ err: error }, "the disk is full or broken: until it takes changes again, no door opens");
    brokenSinceMs = clock.nowMs();
    onBroken();
  }

  return {
    isBroken: () => brokenSinceMs !== undefined,
    canWrite() {
      if (brokenSinceMs === undefined) return true;
      try {
        store.probe();
      } catch (error) {
        failed(error);
        return false;
      }
      const sinceMs = brokenSinceMs;
      brokenSinceMs = undefined;
      logger.info({}, "the disk takes changes again");
      onMended(sinceMs);
      return true;
    },
    failed,
  };
}
