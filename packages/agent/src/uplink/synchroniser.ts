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
import { backOffMs } from "./back-off.ts";
import { createPause } from "./pause.ts";

/** Used until the gateway says how often, in ms, and where it says nonsense. */
const defaultIntervalMs = 30_000;

/** Keeps what an agent must know in step with its gateway. */
export interface Synchroniser {
  /** Boots where that has not been done, and asks for what has changed. Throws where the gateway cannot be reached or refuses. */
  syncNow(): Promise<void>;
  /** Goes on asking, at the gateway's interval, or after failures with longer and longer waits. */
  keepOn(): void;
  stop(): Promise<void>;
}

/** Makes a synchroniser. */
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
  /** Called after the first boot with the number of the last report that the gateway has. */
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
    if (!hasBooted) store.outbox.join(keyId, acknowledged);
    const asked = syncInterval === undefined ? 0 : durationMs(syncInterval);
    intervalMs = asked > 0 ? Math.min(Math.max(asked, 1000), 3_600_000) : defaultIntervalMs;
    logger.info({ siteId, acknowledgedSequence: acknowledged, intervalMs }, "the agent has booted");
    if (!hasBooted) options.onBoot(acknowledged);
    hasBooted = true;
  }

  function setClock(serverTimeMs: number, roundTripMs: number): void {
    const aheadMs = clock.nowMs() - serverTimeMs;
    clock.confirm(serverTimeMs + Math.max(0, roundTripMs) / 2);
    if (Math.abs(aheadMs) > options.maxSkewMs) logger.warn({ aheadMs }, "the device's clock was wrong and is corrected by the gateway's");
  }

  async function sync(): Promise<void> {
    const response = await client.sync({ siteId, knownVersion: store.syncVersion() }, { signal });
    if (!response.unchanged) save(response);
    // A quiet site hears of nothing for weeks; its trust bundle must not run out meanwhile, and Boot gives a new one.
    else if (isPastHalf(store.trustBundle(), clock.nowMs())) await boot();
    // Only the gateway's time is sure enough to forget a spent credential by.
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

  /** A trust bundle that was offered, unless the agent keeps the one it has. */
  function newer(offered: TrustBundle | undefined): TrustBundle | undefined {
    const held = store.trustBundle();
    if (offered === undefined || supersedes(offered, held, clock.nowMs())) return offered;
    const versions = { offered: String(offered.version), held: String(held?.version) };
    logger.warn(versions, "the gateway offered an older trust bundle, and the agent keeps its own while that lasts");
    return undefined;
  }

  /** A new store at an old site learns from the gateway what lies where. Later the agent's own record is the better one. */
  function adoptParcels(allowances: SyncResponse["allowances"]): void {
    const known = new Set(cabinet.compartments().map(({ compartmentId }) => compartmentId));
    for (const { state, compartmentId, reservationId } of allowances) {
      const isHere = state === ReservationState.DEPOSITED && known.has(compartmentId);
      if (isHere && store.compartment(compartmentId).reservationId === "") {
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
        delayMs = backOffMs(failures, random);
        logger.warn({ err: error, delayMs }, "the gateway could not be asked for what has changed");
      }
    }
  }

  return {
    syncNow,
    keepOn() {
      // Where the first boot failed, the first wait is the shortest.
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

/** Whether half of a trust bundle's life is over. */
function isPastHalf(bundle: TrustBundle | undefined, nowMs: number): boolean {
  if (bundle?.issuedAt === undefined || bundle.notAfter === undefined) return false;
  return nowMs >= (timestampMs(bundle.issuedAt) + timestampMs(bundle.notAfter)) / 2;
}
