import type { AgentStore } from "./store/agent-store.ts";

/** A site's clock: the device's clock corrected by the gateway's. It never goes back. */
export interface SiteClock {
  /** The time, in ms since 1970. Never earlier than a time that is known to have passed. */
  nowMs(): number;
  /**
   * Whether the time can be trusted. False if the device's clock is behind a time that has passed, e.g. after a power cut that outlasted its battery, until the
   * gateway has given the time or the device's clock is set.
   */
  isTrusted(): boolean;
  /** Whether the gateway has given the time since the process started. */
  isConfirmed(): boolean;
  /** Records on disk that the present time has passed. */
  mark(): void;
  /** Corrects the clock by the gateway's time. */
  confirm(serverTimeMs: number): void;
}

/**
 * Makes a site's clock.
 *
 * @param maxSkewMs how far the device's clock may be behind a time that has passed and still be trusted, in ms
 * @param isGatewayClock true: `now` is the gateway's clock, so that there is nothing to correct. Default false.
 */
export function createSiteClock(options: { now: () => number; store: AgentStore; maxSkewMs: number; isGatewayClock?: boolean }): SiteClock {
  const { now, store, maxSkewMs, isGatewayClock = false } = options;
  const startedAtMs = now();
  const startFloorMs = store.clockFloorMs();
  let floorMs = startFloorMs;
  let offsetMs = store.clockOffsetMs();
  let isConfirmed = false;

  const correctedMs = () => now() + offsetMs;
  // While the clock is lost, time passes since the start, counted from the floor known then.
  const nowMs = () => Math.max(correctedMs(), floorMs, isConfirmed ? 0 : startFloorMs + (now() - startedAtMs));

  return {
    nowMs,
    isTrusted: () => correctedMs() >= floorMs - maxSkewMs,
    isConfirmed: () => isConfirmed,
    mark() {
      floorMs = nowMs();
      store.saveClock({ floorMs, offsetMs });
    },
    confirm(reportedMs) {
      // A test clock may be moved between the gateway's response and this call: the difference would be no error of the clock.
      const serverTimeMs = isGatewayClock ? now() : reportedMs;
      offsetMs = serverTimeMs - now();
      isConfirmed = true;
      // A floor far ahead of the gateway comes from a wrong clock; it would expire every credential.
      if (floorMs > serverTimeMs + maxSkewMs) floorMs = serverTimeMs;
      store.saveClock({ floorMs: Math.max(floorMs, serverTimeMs), offsetMs });
      floorMs = Math.max(floorMs, serverTimeMs);
    },
  };
}
