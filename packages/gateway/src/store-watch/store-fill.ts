import { type ModeName, PetakError } from "@petak/protocol";
import { memoryOfServers, type RedisConnection, type ServerMemory } from "@petak/redis";
import type { LogFailure, Logger } from "../observability/logger.ts";
import type { Metrics } from "../observability/metrics.ts";
import { growthTable } from "./growth-table.ts";
import { createOutage } from "./outage.ts";

/** How full the store may become. */
export interface StoreFillLimits {
  /** The memory that each server may use, in bytes, if that is less than its `maxmemory`. Default 0: its `maxmemory`. */
  maxBytes?: number;
  /** The fill from which the operator is warned and growth by test keys is refused, in percent. Default 70. */
  warnPercent?: number;
  /** The fill from which all growth is refused, in percent. Default 85. */
  refusePercent?: number;
  /** Interval in which the servers are asked, in ms, and once the fill is near `warnPercent`. Default 1000 and 100. */
  intervalMs?: number;
  nearIntervalMs?: number;
}

export interface StoreFillOptions {
  redis: RedisConnection;
  /** Names the store in log lines. */
  address: string;
  logger: Logger;
  metrics: Metrics;
  limits: StoreFillLimits;
  /** Logs a check that failed. */
  logFailure: LogFailure;
}

/** Refuses what would make a nearly full store grow, in the test network sooner than in the live one. */
export interface GrowthGuard {
  /**
   * Throws STORE_FULL if the store is too full for a call, by the {@link growthTable}.
   *
   * @param method e.g. `petak.v1.ReservationService/Reserve`
   * @param mode the network of the caller's key. Undefined: a call without a key
   */
  refuseCall(method: string, mode: ModeName | undefined): void;
  /** Throws STORE_FULL if the store is too full for something new. @param mode as above */
  refuseNew(mode: ModeName | undefined): void;
}

/** Follows how full the store is: the fullest of its servers counts. */
export interface StoreFill extends GrowthGuard {
  /** Whether all growth is refused. */
  readonly isFull: boolean;
  /** The error for a write that a server has rejected because its memory is full. */
  rejected(cause: unknown): PetakError;
  /** Asks the servers once. */
  check(): Promise<void>;
  /** Begins to ask them at intervals. Resolves after the first check. */
  start(): Promise<void>;
  stop(): void;
}

/** By how much the fill must fall below a limit before that counts as left, in percent: a change of a few calls must not switch it. */
const hysteresisPercent = 2;

/** The delay in the RetryInfo, in ms: long enough that no client's library waits for it instead of telling its caller. */
const retryAfterMs = 30_000;

/** Begins to follow. Until the first check nothing is refused. */
export function createStoreFill({ redis, address, logger, metrics, limits, logFailure }: StoreFillOptions): StoreFill {
  const { maxBytes = 0, warnPercent = 70, refusePercent = 85, intervalMs = 1000, nearIntervalMs = 100 } = limits;
  /** From here on the operator is warned, and growth by test keys refused. */
  const nearPercent = Math.min(warnPercent, refusePercent);
  let percent: number | undefined;
  let hasWarned = false;
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;
  const text = () => `the store is ${(percent ?? 100).toFixed(0)} % full`;
  const advice =
    "raise maxmemory of Redis or storeMaxBytes, or let what has ended leave sooner (retentionMs). Revocations, agents' reports, cancellations and collections go on";
  const full = createOutage({
    now: Date.now,
    reportAfterMs: () => 0,
    steadyMs: 0,
    onStarted: () =>
      logger.error({ redis: address, percent }, `${text()}: from ${refusePercent} % on, what makes it grow gets STORE_FULL; ${advice}`),
    onOngoing: () => logger.error({ redis: address, percent }, `${text()}, and what makes it grow still gets STORE_FULL; ${advice}`),
    onEnded: () => logger.info({ redis: address, percent }, `${text()}: growth is accepted again`),
  });
  const near = createOutage({
    now: Date.now,
    reportAfterMs: () => 0,
    steadyMs: 0,
    onStarted: () =>
      logger.warn(
        { redis: address, percent },
        `${text()}; from ${refusePercent} % on, what makes it grow is refused, and what test keys add already now: ${advice}`,
      ),
    onOngoing: () => undefined,
    onEnded: () => logger.info({ redis: address, percent }, text()),
  });

  /** Fill of one server in percent. Undefined: it has no limit. */
  function percentOf({ usedBytes, maxBytes: serverMaxBytes }: ServerMemory): number | undefined {
    const given = [maxBytes, serverMaxBytes].filter((bytes) => bytes > 0);
    return given.length === 0 ? undefined : (usedBytes / Math.min(...given)) * 100;
  }

  function update(servers: readonly ServerMemory[]): void {
    const known = servers.map(percentOf).filter((one) => one !== undefined);
    // A limit may have been lowered below what is used.
    percent = known.length === 0 ? undefined : Math.min(100, Math.max(...known));
    if (known.length < servers.length && !hasWarned) {
      hasWarned = true;
      logger.warn(
        { redis: address },
        "Redis has no maxmemory, so nobody knows how full it is and growth is not refused before its machine is out of memory: set maxmemory there, or storeMaxBytes",
      );
    }
    for (const [outage, limit] of [
      [full, refusePercent],
      [near, nearPercent],
    ] as const) {
      if ((percent ?? 0) >= limit - (outage.isOpen ? hysteresisPercent : 0)) outage.fails();
      else outage.works();
    }
    if (percent === undefined) metrics.storeFill.remove();
    else metrics.storeFill.set(percent / 100);
    metrics.storeRefusesGrowth.set(full.isOpen ? 1 : 0);
  }

  async function check(): Promise<void> {
    try {
      const servers = await memoryOfServers(redis);
      if (!isStopped) update(servers);
    } catch (error) {
      // What was known last counts.
      if (!isStopped) logFailure("the check of the store's memory", error);
    }
  }

  async function run(): Promise<void> {
    await check();
    if (isStopped) return;
    timer = setTimeout(() => void run(), near.isOpen ? nearIntervalMs : intervalMs);
    timer.unref();
  }

  const storeFull = (message: string, atPercent: number, limitPercent = refusePercent, cause?: unknown) =>
    new PetakError("STORE_FULL", `${message}. The gateway's operator has to make room`, {
      retryAfterMs,
      metadata: { fill_percent: atPercent.toFixed(0), limit_percent: String(limitPercent) },
      cause,
    });

  function refuseNew(mode: ModeName | undefined): void {
    const isTestRefused = mode === "test" && near.isOpen && !full.isOpen;
    if (!full.isOpen && !isTestRefused) return;
    const limitPercent = isTestRefused ? nearPercent : refusePercent;
    const what = isTestRefused ? "nothing new is stored with test keys, so that the live network keeps its room" : "nothing new is stored";
    throw storeFull(`${text()}, and from ${limitPercent} % on ${what}; changes of what exists are accepted`, percent ?? 100, limitPercent);
  }

  return {
    get isFull() {
      return full.isOpen;
    },
    refuseNew,
    refuseCall(method, mode) {
      if (near.isOpen && growthTable[method] === "refused") refuseNew(mode);
    },
    rejected: (cause) => storeFull("the store is full and rejects all changes", 100, refusePercent, cause),
    check,
    start: run,
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
