import { randomBytes } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { durationMs, type Timestamp, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { type PetakClient, reasonOf } from "@petak/client";
import { accessTokenMaxLifetimeMs } from "@petak/credential";
import {
  AgentEpochSchema,
  type Command,
  type CommandKeys,
  ConditionKind,
  ReservationState,
  type Site,
  type SyncResponse,
  type TrustBundle,
} from "@petak/protocol";
import type { Cabinet } from "../cabinet/cabinet.ts";
import type { SiteClock } from "../clock.ts";
import { trustedCommandKeys } from "../decision/command-keys.ts";
import type { Conditions } from "../door/conditions.ts";
import { createSerialQueue } from "../door/serial-queue.ts";
import { recordedIntakeText } from "../door/site-intake.ts";
import type { AgentLogger } from "../logger.ts";
import type { AgentStore } from "../store/agent-store.ts";
import type { RecordedReports } from "../store/outbox.ts";
import { isStorageError } from "../store/values.ts";
import type { After } from "../timer.ts";
import { newTrace } from "./call-trace.ts";
import { epochOf, noteRefusal } from "./epoch.ts";
import { backoffMs, createPause } from "./pause.ts";
import { createTrust } from "./trust.ts";

/** Interval if the gateway gives none or an invalid one, in ms. */
const defaultIntervalMs = 30_000;

/** After this time the agent asks for everything again, so that what a wrong difference would leave has an end. */
const completeEveryMs = 24 * 3_600_000;
/** How long what came of an entry at a counter is kept, in ms: longer than any tablet waits. */
const entriesKeptMs = 30 * 24 * 3_600_000;

/** How long after its end a command is known, in ms: longer than the hour in which its door counts. */
const commandsKeptMs = 2 * 3_600_000;

/** Keeps the agent's data in sync with its gateway. */
export interface Synchroniser {
  /** Boots if that has not been done, and fetches changes. Throws if the gateway cannot be reached or refuses. @param onBegin called when it begins, after those before it */
  syncNow(onBegin?: () => void): Promise<void>;
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
  conditions: Conditions;
  logger: AgentLogger;
  after: After;
  /** A clock that only goes on, in ms since any instant. */
  elapsedMs: () => number;
  random: () => number;
  maxSkewMs: number;
  /** Called after the first boot, and when the gateway refuses the agent, with the number of the last report that need not be sent. */
  onBoot: (acknowledgedSequence: number) => void;
  /** Called after each boot, when the site's facts may be others. */
  onSite: () => void;
  /** Called when the parcels that the gateway knows at the site have been taken over into a store that knew none. */
  onAdopted: (compartmentIds: readonly string[]) => void;
  /** Called after a Sync that began when the gateway had all reports: what it says is as new as the store. */
  onAgreed: () => void;
  /** Called with whether the gateway was reached. */
  onContact: (isReached: boolean) => void;
  /** Called when the disk has not taken something. */
  onStorageFailure: (error: unknown) => void;
  /** Called with the commands that Sync brought. */
  onCommands: (commands: readonly Command[]) => void;
}): Synchroniser {
  const { client, siteId, keyId, software, store, cabinet, clock, conditions, logger, after, elapsedMs, random, onContact } = options;
  const enqueue = createSerialQueue();
  const pause = createPause(after);
  const trust = createTrust({ store, clock, logger });
  const abort = new AbortController();
  const { signal } = abort;
  let intervalMs = defaultIntervalMs;
  let hasBooted = false;
  /** The number of the last report that the gateway had recorded under the agent's key at the last boot. */
  let recordedBefore = 0;
  /** Not on disk, so that no copy of it has the same. */
  const processNonce = new Uint8Array(randomBytes(16));
  let bootNonce: Uint8Array<ArrayBuffer> | undefined;
  /** The trace of the last Sync call. */
  let traceId = "";
  let running: Promise<void> | undefined;

  async function boot(): Promise<void> {
    const sentAtMs = elapsedMs();
    bootNonce ??= store.epoch.bootNonce();
    const held = store.epoch.held();
    const asked = { bootNonce, processNonce, ...(held && { heldEpoch: held }) };
    const last = store.outbox.last(keyId);
    const about = { siteId, software, lastSequence: BigInt(last.sequence), lastHash: last.hash };
    const response = await client.boot({ ...about, agentTime: timestampFromMs(clock.nowMs()), ...asked }, { signal });
    const { serverTime, site, pinKey, syncInterval } = response;
    const acknowledged = Number(response.acknowledgedSequence);
    recordedBefore = acknowledged;
    setClock(serverTime, elapsedMs() - sentAtMs);
    const trustBundle = await trust.newer(response.trustBundle);
    const commandKeys = await newCommandKeys(response.commandKeys, site);
    const isBack = response.byOperatorsWord || store.epoch.isRefused();
    const position = store.transaction(() => {
      // An earlier gateway gives none.
      if (response.epoch > 0)
        store.epoch.give(create(AgentEpochSchema, { number: response.epoch, nonce: bootNonce, proof: response.epochProof }));
      store.epoch.setRefused(false);
      store.saveBoot({ site, pinKey, trustBundle });
      if (commandKeys !== undefined) store.commands.saveKeys(keyId, commandKeys);
      store.intake.setTaken(response.takesIntakeReports);
      // Whoever is back reports in any case: another one may have reported meanwhile. Reports under way will change what the gateway has.
      if (isBack) store.intake.saveReported(undefined);
      else if (site !== undefined && store.outbox.lastSequence() <= acknowledged) store.intake.saveReported(recordedIntakeText(site));
      return positionAfter({ sequence: acknowledged, hash: response.acknowledgedHash }, response.quarantined, isBack);
    });
    const interval = syncInterval === undefined ? 0 : durationMs(syncInterval);
    intervalMs = interval > 0 ? Math.min(Math.max(interval, 1000), 3_600_000) : defaultIntervalMs;
    logger.info({ siteId, acknowledgedSequence: acknowledged, intervalMs }, "the agent has booted");
    if (!hasBooted) options.onBoot(position);
    hasBooted = true;
    options.onSite();
  }

  /** The number of the last report that need not be sent. Where the reports have forked, none is skipped that has not been acknowledged. */
  function positionAfter(recorded: RecordedReports, isQuarantined: boolean, isBack: boolean): number {
    const { outbox } = store;
    // Whoever is back by its operator's word continues after whatever another one has reported.
    const hasForked = isQuarantined || (!isBack && outbox.isOther(keyId, recorded));
    store.saveQuarantine(hasForked);
    outbox.setChained(recorded.hash.length > 0);
    if (hasForked) {
      const numbers = { siteId, recorded: recorded.sequence, acknowledged: outbox.acknowledgedSequence(), last: outbox.lastSequence() };
      logger.error(
        numbers,
        "the gateway has recorded other reports under this device's key than this device made: it keeps its reports and takes no deposits until the operator has ended the key and enrolled it again",
      );
      return Math.min(recorded.sequence, outbox.acknowledgedSequence());
    }
    if (!hasBooted) outbox.continueAfter(keyId, recorded, isBack);
    return recorded.sequence;
  }

  /** The keys for commands that the agent trusts from now on. Undefined: as before. */
  async function newCommandKeys(offered: CommandKeys | undefined, site: Site | undefined): Promise<CommandKeys | undefined> {
    const held = store.commands.keys(keyId);
    // Until it has received any, an agent waits for the first.
    if (offered === undefined || (held === undefined && offered.keys.length === 0)) return undefined;
    const keys = await trustedCommandKeys(offered.keys, held?.keys, site?.operatorId ?? "");
    const refused = offered.keys.filter(({ keyId: id }) => !keys.some((one) => one.keyId === id)).map(({ keyId: id }) => id);
    if (refused.length > 0) logger.warn({ refused }, "the gateway offered keys for commands that no trusted key has allowed");
    // The version that was offered, so that keys that are refused are not asked for again and again.
    return { ...offered, keys };
  }

  function setClock(serverTime: Timestamp | undefined, roundTripMs: number): void {
    // Earlier gateways give none with Sync.
    if (serverTime === undefined) return;
    const serverTimeMs = timestampMs(serverTime);
    const aheadMs = clock.confirm(serverTimeMs, Math.max(0, roundTripMs));
    trust.limitHeld();
    if (Math.abs(aheadMs) <= options.maxSkewMs) return;
    logger.warn({ aheadMs }, "the device's clock was wrong and has been corrected");
    conditions.note({ kind: ConditionKind.CLOCK_CORRECTED, clockAheadMs: aheadMs });
  }

  /** Synchronises, with the next epoch where the gateway's store has lost the present one. */
  async function syncOrBoot(): Promise<void> {
    try {
      await sync();
    } catch (error) {
      if (reasonOf(error) !== "AGENT_EPOCH_LOST") throw error;
      bootNonce = undefined;
      await boot();
      await sync();
    }
  }

  async function sync(): Promise<void> {
    const sentAtMs = elapsedMs();
    const hasToldAll = store.outbox.acknowledgedSequence() === store.outbox.lastSequence();
    const wantsAll = needsAll(clock.nowMs());
    const known = { knownVersion: store.syncVersion(), knownVersionTag: store.syncVersionTag(), acceptsDifference: true };
    const trace = newTrace();
    traceId = trace.traceId;
    const response = await client.sync({ siteId, ...(wantsAll ? {} : known), ...epochOf(store) }, { signal, headers: trace.headers });
    if (response.isDifference && wantsAll) throw new Error("the gateway answered with a difference, but was asked for everything");
    setClock(response.serverTime, elapsedMs() - sentAtMs);
    // Before the version: if the power fails between, it is told again.
    store.saveCouriers(response);
    if (!response.unchanged) save(response, await trust.newer(response.trustBundle));
    // 0: an earlier gateway. 1: there are none.
    const hasOtherKeys = response.commandKeysVersion !== 0 && response.commandKeysVersion !== (store.commands.keys(keyId)?.version ?? 1);
    if (hasOtherKeys || hasChanged(response, store.site())) await boot();
    if (response.commands.length > 0) options.onCommands(response.commands);
    // Only after contact with the gateway is the time certain enough to delete spent credentials.
    const nowMs = clock.nowMs();
    store.forgetSpent(nowMs - 2 * options.maxSkewMs);
    store.commands.forget(nowMs - commandsKeptMs);
    store.counter.forget(nowMs - entriesKeptMs);
    store.counter.forgetPhotos(nowMs);
    store.forgetEnded({ nowMs, forgetAtMs: nowMs + accessTokenMaxLifetimeMs + 2 * options.maxSkewMs });
    if (hasToldAll) options.onAgreed();
  }

  function needsAll(nowMs: number): boolean {
    // The trust bundle would expire at a site where nothing changes.
    return Math.abs(nowMs - store.completeSyncAtMs()) >= completeEveryMs || isPastHalf(store.trustBundle(), nowMs);
  }

  function save(response: SyncResponse, trustBundle: TrustBundle | undefined): void {
    const isFirst = store.syncVersion() === 0n;
    const adopted = store.transaction(() => {
      store.saveSync({ ...response, trustBundle, nowMs: clock.nowMs() });
      const parcels = isFirst ? adoptParcels(response.allowances) : [];
      // Where the gateway knows nothing of the device, it is the first one that its site has.
      if (isFirst && (parcels.length > 0 || recordedBefore > 0))
        conditions.note({ kind: ConditionKind.STORE_NEW, parcels: parcels.length });
      return parcels;
    });
    if (isFirst) options.onAdopted(adopted);
  }

  /** Fills a new store with the parcels that the gateway knows at the site. Later the agent's own record is more accurate. */
  function adoptParcels(allowances: SyncResponse["allowances"]): string[] {
    const adopted: string[] = [];
    const known = new Set(cabinet.compartments().map(({ compartmentId }) => compartmentId));
    for (const { state, compartmentId, reservationId } of allowances) {
      const isInside = state === ReservationState.DEPOSITED && known.has(compartmentId);
      if (isInside && store.compartment(compartmentId).reservationId === "") {
        store.saveCompartment({ compartmentId, condition: "OK", reservationId });
        adopted.push(compartmentId);
      }
    }
    return adopted;
  }

  /** Asks for an epoch again at the next attempt, since the operator may let it go on, and hands over reports, which the gateway keeps apart. */
  function becomeRefused(): void {
    if (hasBooted)
      logger.warn({ siteId }, "another agent is in charge of the site: until the operator lets this one go on, it opens for no deposit");
    hasBooted = false;
    bootNonce = undefined;
    options.onBoot(store.outbox.acknowledgedSequence());
  }

  function syncNow(onBegin?: () => void): Promise<void> {
    return enqueue(async () => {
      onBegin?.();
      try {
        if (!hasBooted) await boot();
        await syncOrBoot();
        onContact(true);
        conditions.tell();
      } catch (error) {
        if (isStorageError(error)) options.onStorageFailure(error);
        else onContact(false);
        if (noteRefusal(store, reasonOf(error))) becomeRefused();
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
        logger.warn({ err: error, delayMs, traceId }, "synchronising with the gateway failed");
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

/** Whether the gateway has other facts of the site than the agent. Earlier gateways do not say which they have. */
function hasChanged({ siteRevision }: SyncResponse, site: Site | undefined): boolean {
  return siteRevision !== 0 && siteRevision !== site?.revision;
}

/** Whether more than half of a trust bundle's validity has passed. */
function isPastHalf(bundle: TrustBundle | undefined, nowMs: number): boolean {
  if (bundle?.issuedAt === undefined || bundle.notAfter === undefined) return false;
  return nowMs >= (timestampMs(bundle.issuedAt) + timestampMs(bundle.notAfter)) / 2;
}
