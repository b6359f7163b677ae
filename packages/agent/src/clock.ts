import type { AgentStore } from "./store/agent-store.ts";

/** A site's clock: the device's clock corrected by the gateway's. It never goes back. */
export interface SiteClock {
  /** The time, in whole ms since 1970. Never earlier than a time that is known to have passed. */
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
  /**
   * Corrects the clock by the gateway's time, which is now between `serverTimeMs` and `serverTimeMs + roundTripMs`, both in ms. A clock that was confirmed before
   * goes on as it is if it lies between them: the response of a slow line is less exact than what the clock counted.
   *
   * @returns by how much it was ahead, in ms; negative: behind
   */
  confirm(serverTimeMs: number, roundTripMs: number): number;
}

/** How far the time on disk may lag behind while nothing else is written, in ms. */
const savedEveryMs = 600_000;

/**
 * Makes a site's clock. Once the gateway has given the time, it goes by `elapsedMs` from there: setting the device's clock changes nothing any more.
 *
 * @param elapsedMs a clock that only goes on, in ms since any instant
 * @param maxSkewMs how far the device's clock may be behind a time that has passed and still be trusted, in ms
 * @param isGatewayClock true: `now` is the gateway's clock, so that there is nothing to correct. Default false.
 */
export function createSiteClock(options: {
  now: () => number;
  elapsedMs: () => number;
  store: AgentStore;
  maxSkewMs: number;
  isGatewayClock?: boolean;
}): SiteClock {
  const { now, elapsedMs, store, maxSkewMs, isGatewayClock = false } = options;
  const startedAtMs = now();
  const startFloorMs = store.clockFloorMs();
  let floorMs = startFloorMs;
  let offsetMs = store.clockOffsetMs();
  let saved = { floorMs, offsetMs };
  /** The gateway's time when it was given last, and what {@link elapsedMs} showed. */
  let confirmed: { serverTimeMs: number; elapsedMs: number } | undefined;

  const correctedMs = () => (confirmed === undefined ? now() + offsetMs : confirmed.serverTimeMs + elapsedMs() - confirmed.elapsedMs);
  // While the clock is lost, time passes since the start, counted from the floor known then. Whole ms, which `elapsedMs` need not be: reports have no fractions.
  const nowMs = () => Math.floor(Math.max(correctedMs(), floorMs, confirmed ? 0 : startFloorMs + (now() - startedAtMs)));

  /** The time after a response of the gateway: the middle of the round trip the first time, later the least correction that fits. */
  function estimateMs(serverTimeMs: number, roundTripMs: number): number {
    if (confirmed === undefined) return serverTimeMs + roundTripMs / 2;
    return Math.min(Math.max(correctedMs(), serverTimeMs), serverTimeMs + roundTripMs);
  }

  function save(): void {
    const next = { floorMs, offsetMs };
    store.saveClock(next);
    saved = next;
  }

  return {
    nowMs,
    isTrusted: () => correctedMs() >= floorMs - maxSkewMs,
    isConfirmed: () => confirmed !== undefined,
    mark() {
      floorMs = nowMs();
      save();
    },
    confirm(reportedMs, roundTripMs) {
      // A test clock may be moved between the gateway's response and this call: the difference would be no error of the clock.
      const serverTimeMs = Math.floor(isGatewayClock ? now() : estimateMs(reportedMs, roundTripMs));
      const aheadMs = isGatewayClock ? 0 : nowMs() - serverTimeMs;
      offsetMs = serverTimeMs - now();
      confirmed = { serverTimeMs, elapsedMs: elapsedMs() };
      // A floor far ahead of the gateway comes from a wrong clock; it would expire every credential.
      if (floorMs > serverTimeMs + maxSkewMs) floorMs = serverTimeMs;
      floorMs = Math.max(floorMs, serverTimeMs);
      // Each synchronisation comes here, and few are worth a write to the disk.
      const isNews = Math.abs(offsetMs - saved.offsetMs) > 1000 || Math.abs(floorMs - saved.floorMs) > savedEveryMs;
      if (isNews) save();
      return aheadMs;
    },
  };
}
