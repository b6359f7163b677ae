import { durationMs, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { PetakClient } from "@petak/client";
import { accessTokenMaxLifetimeMs, supersedes } from "@petak/credential";
import { ReservationState, type SyncResponse, type TrustBundle } from "@petak/protocol";
import type { Cabinet } from "../cabinet/cabinet.ts";
import type { SiteClock } from "../clock.ts";
import { createSerialQueue } from "../door/serial-queue.ts";
import type { AgentLogger } from "../logger.ts";
import type { AgentStore } from "../store/agent-store.ts";
import type { After } from "../timer.ts";
import { backoffMs, createPause } from "./pause.ts";

/** Interval if the gateway gives none or an invalid one, in ms. */
const defaultIntervalMs = 30_000;

/** Keeps the agent's data in sync with its gateway. */
export interface Synchroniser {
  /** Boots if that has not been done, and fetches changes. Throws if the gateway cannot be reached or refuses. */
  syncNow(): Promise<void>;
  /** Starts to synchronise at the gateway's interval, with backoff after failures. */
  startPolling(): void;
  stop(): Promise<void>;
}

export function createSynchroniser(options: {
  client: Pick<PetakClient["agents"], "boot" | "sync">;
  siteId: string;
  keyId: string;
  software: string;
  store: AgentStore;
  cabinet: Cabinet;
  clock: SiteClock;
  logger: AgentLogger;
  after: After;
  now: () => number;
  random: () => number;
  maxSkewMs: number;
  /** Called after the first boot, with the number of the last report that the gateway has recorded. */
  onBoot: (acknowledgedSequence: number) => void;
  /** Called with whether the gateway was reached. */
  onContact: (isReached: boolean) => void;
}): Synchroniser {
  const { client, siteId, keyId, software, store, cabinet, clock, logger, after, now, random, onContact } = options;
  const enqueue = createSerialQueue();
  const pause = createPause(after);
  const abort = new AbortController();
  const { signal } = abort;
  let intervalMs = defaultIntervalMs;
  let hasBooted = false;
  let running: Promise<void> | undefined;

  async function boot(): Promise<void> {
    const sentAtMs = now();
    const lastSequence = BigInt(store.outbox.lastSequence());
    const response = await client.boot({ siteId, software, lastSequence, agentTime: timestampFromMs(clock.nowMs()) }, { signal });
    const { serverTime, site, pinKey, syncInterval } = response;
    const acknowledged = Number(response.acknowledgedSequence);
    if (serverTime !== undefined) setClock(timestampMs(serverTime), now() - sentAtMs);
    store.saveBoot({ site, pinKey, trustBundle: newer(response.trustBundle) });
    if (!hasBooted) store.outbox.continueAfter(keyId, acknowledged);
    const asked = syncInterval === undefined ? 0 : durationMs(syncInterval);
    intervalMs = asked > 0 ? Math.min(Math.max(asked, 1000), 3_600_000) : defaultIntervalMs;
    logger.info({ siteId, acknowledgedSequence: acknowledged, intervalMs }, "the agent has booted");
    if (!hasBooted) options.onBoot(acknowledged);
    hasBooted = true;
  }

  function setClock(serverTimeMs: number, roundTripMs: number): void {
    const aheadMs = clock.nowMs() - serverTimeMs;
    clock.confirm(serverTimeMs + Math.max(0, roundTripMs) / 2);
    if (Math.abs(aheadMs) > options.maxSkewMs) logger.warn({ aheadMs }, "the device's clock was wrong and has been corrected");
  }

  async function sync(): Promise<void> {
    const response = await client.sync({ siteId, knownVersion: store.syncVersion() }, { signal });
    if (!response.unchanged) save(response);
    // Without changes for weeks, the trust bundle would expire; Boot returns a new one.
    else if (isPastHalf(store.trustBundle(), clock.nowMs())) await boot();
    // Only after contact with the gateway is the time certain enough to delete spent credentials.
    const nowMs = clock.nowMs();
    store.forgetSpent(nowMs - 2 * options.maxSkewMs);
    store.forgetEnded({ nowMs, forgetAtMs: nowMs + accessTokenMaxLifetimeMs + 2 * options.maxSkewMs });
  }

  function save({ version, allowances, bundles, revokedServiceHashes, trustBundle }: SyncResponse): void {
    store.transaction(() => {
      if (store.syncVersion() === 0n) adoptParcels(allowances);
      store.saveSync({ version, allowances, bundles, revokedServiceHashes, trustBundle: newer(trustBundle) });
    });
  }

  /** The offered trust bundle if it supersedes the agent's own. */
  function newer(offered: TrustBundle | undefined): TrustBundle | undefined {
    const held = store.trustBundle();
    if (offered === undefined || supersedes(offered, held, clock.nowMs())) return offered;
    const versions = { offered: String(offered.version), held: String(held?.version) };
    logger.warn(versions, "the gateway offered an older trust bundle; the agent keeps its own until that expires");
    return undefined;
  }

  /** Fills a new store with the parcels that the gateway knows at the site. Later the agent's own record is more accurate. */
  function adoptParcels(allowances: SyncResponse["allowances"]): void {
    const known = new Set(cabinet.compartments().map(({ compartmentId }) => compartmentId));
    for (const { state, compartmentId, reservationId } of allowances) {
      const isInside = state === ReservationState.DEPOSITED && known.has(compartmentId);
      if (isInside && store.compartment(compartmentId).reservationId === "") {
        store.saveCompartment({ compartmentId, condition: "OK", reservationId });
      }
    }
  }

  function syncNow(): Promise<void> {
    return enqueue(async () => {
      try {
        if (!hasBooted) await boot();
        await sync();
        onContact(true);
      } catch (error) {
        onContact(false);
        throw error;
      }
    });
  }

  async function run(): Promise<void> {
    let failures = 0;
    let delayMs = intervalMs;
    while (!signal.aborted) {
      await pause.wait(delayMs);
      if (signal.aborted) return;
      try {
        await syncNow();
        failures = 0;
        delayMs = intervalMs;
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        delayMs = backoffMs(failures, random);
        logger.warn({ err: error, delayMs }, "synchronising with the gateway failed");
      }
    }
  }

  return {
    syncNow,
    startPolling() {
      // If the first boot failed, retry soon.
      if (!hasBooted) intervalMs = 1000;
      running ??= run();
    },
    async stop() {
      abort.abort();
      pause.wake();
      await running;
      await enqueue(() => undefined);
    },
  };
}

/** Whether more than half of a trust bundle's validity has passed. */
function isPastHalf(bundle: TrustBundle | undefined, nowMs: number): boolean {
  if (bundle?.issuedAt === undefined || bundle.notAfter === undefined) return false;
  return nowMs >= (timestampMs(bundle.issuedAt) + timestampMs(bundle.notAfter)) / 2;
}
