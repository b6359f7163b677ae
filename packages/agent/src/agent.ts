import { Code, ConnectError } from "@connectrpc/connect";
import { modeOfKeyId, type PetakClient, reasonOf } from "@petak/client";
import { defaultMaxSkewMs } from "@petak/credential";
import { ConditionKind } from "@petak/protocol";
import type { Cabinet } from "./cabinet/cabinet.ts";
import { createSiteClock } from "./clock.ts";
import type { Intake, WantedIntake } from "./decision/intake-rules.ts";
import type { Credential } from "./decision/snapshot.ts";
import { type Challenge, createChallenges } from "./door/challenges.ts";
import { type CommandFact, createSiteCommands } from "./door/commands.ts";
import { createConditions } from "./door/conditions.ts";
import { type CounterSteps, createDoor, type Door, type Presentation } from "./door/door.ts";
import { createOutboxLimit, unsentReportsMax } from "./door/outbox-limit.ts";
import { createReportSigner, type ReportKey } from "./door/report-signer.ts";
import { createReporter, type ReportedShift } from "./door/reporter.ts";
import { createSiteIntake } from "./door/site-intake.ts";
import { createStorage } from "./door/storage.ts";
import { defaultGraceMs } from "./door/visits.ts";
import { createLogRing } from "./log-ring.ts";
import type { AgentLogger } from "./logger.ts";
import type { AgentStore } from "./store/agent-store.ts";
import type { TestClockFollower } from "./test-clock.ts";
import { type After, afterByTimer } from "./timer.ts";
import { createAlarms } from "./uplink/alarms.ts";
import { createCodeResolver, type ResolvedCode } from "./uplink/code-resolver.ts";
import { type CommandWatcher, createCommandWatcher } from "./uplink/command-watcher.ts";
import { isOtherInCharge } from "./uplink/epoch.ts";
import { createFlusher } from "./uplink/flusher.ts";
import { createLinkWatch } from "./uplink/link-watch.ts";
import { createSynchroniser } from "./uplink/synchroniser.ts";

export interface AgentOptions {
  /** The gateway's agent service, with a key that is registered for the site. */
  client: Pick<PetakClient["agents"], "boot" | "sync" | "reportEvents"> &
    Partial<Pick<PetakClient["agents"], "watchCommands" | "resolveCode">>;
  /** The agent's site. */
  siteId: string;
  /**
   * The key with which `client` signs. With it, reports are signed when they are made, also offline; without it, `client` signs them when they are sent.
   */
  reportKey?: ReportKey;
  /**
   * The id of the key with which `client` signs. The gateway numbers an agent's reports per key, so the store must know when the key changes. Default: that of
   * `reportKey`; without either, the key never changes.
   */
  keyId?: string;
  /**
   * The operator's root key, 32 bytes: the agent believes issuer keys with a certificate by it only, from now on, also when it is started without this option. Default:
   * the one that the store knows.
   */
  rootKey?: Uint8Array | undefined;
  /** The agent's database. The agent does not close it. */
  store: AgentStore;
  /** The terminal's locks and sensors. */
  cabinet: Cabinet;
  logger: AgentLogger;
  /** The device's clock, in ms since 1970. Default `Date.now`. */
  now?: () => number;
  /**
   * A clock of the device that only goes on and that nobody can set, in ms since any instant. Default `performance.now`, or with a `now` of one's own that: give both
   * on a device.
   */
  elapsedMs?: () => number;
  /** Runs something later. Default: the process's timers. */
  after?: After;
  /**
   * Test network only: the gateway's test clock, in place of `now`, `elapsedMs` and `after`. The agent then decides, reports and waits by the gateway's clock, also
   * while it cannot reach the gateway.
   */
  testClock?: Pick<TestClockFollower, "now" | "after">;
  /** Random numbers in [0, 1) for the jitter of retries. Default `Math.random`. */
  random?: () => number;
  /** Name and version, shown to the operator. Default `petak-agent`. */
  software?: string;
  /**
   * Whether the agent holds a stream to its gateway open, so that commands and changes reach it at once; `client` must have `watchCommands`. Default false: it gets them when it next
   * calls Sync.
   */
  watchesCommands?: boolean;
  /** Starts the agent's program again, by command. It must return at once. Default: the agent refuses such commands. */
  restart?: () => void;
  /** Called with the compartments in which the gateway knows parcels when a new store takes them over, before their sensors are read. */
  onAdopted?: (compartmentIds: readonly string[]) => void;
  /** Hears of each command that ended. */
  onCommand?: (fact: CommandFact) => void;
  /** Tolerated error of the device's clock, in ms. Default 300,000. */
  maxSkewMs?: number;
  /** Grace period during which the same credential may open its door again if the outcome is unknown, in ms. Default 120,000. */
  graceMs?: number;
  /**
   * Least time until the refusal of a credential, in ms, so that its timing reveals nothing about the reason. Default 400: longer than any decision takes, short
   * enough for a person.
   */
  refusalMs?: number;
  /** Reports that wait for the gateway before no door opens any more; from nine tenths of them on nothing goes in. At least 10. Default 50,000. */
  unsentReportsMax?: number;
}

/** The process at a site. */
export interface Agent {
  /**
   * Starts the agent and synchronises with the gateway. Resolves with whether the gateway was reached; if not, the agent works with the data on disk and keeps
   * retrying. Throws if the gateway refuses an agent without data on disk, and an AgentStoreError if the store belongs to another site.
   */
  start(): Promise<boolean>;
  /**
   * Issues a challenge, to be shown as a QR code or sent over Bluetooth. The holder of a token that is bound to a key signs it, and {@link present} verifies the
   * proof. A challenge is valid once, for a minute, until the agent stops. Throws before start and after stop.
   */
  challenge(): Challenge;
  /** Decides on a credential and opens a door. Works offline. Throws before start and after stop. */
  present(credential: Credential): Promise<Presentation>;
  /** What the site takes in now, by what its people want, by commands and by its locks. */
  intake(): Intake;
  /**
   * Says what the people of the site want it to take in, in place of what they said before; on disk when it resolves, and reported to the gateway when that is reached.
   * Compartments that are out of service or failed count besides. Rejects with a RangeError that names what is wrong, if the disk takes no changes, and before start and
   * after stop.
   */
  setIntake(wanted: WantedIntake): Promise<void>;
  /** What a store's counter uses of the agent. */
  readonly desk: Desk;
  /** Synchronises with the gateway now. Throws if it cannot be reached. */
  syncNow(): Promise<void>;
  /** Resolves when the gateway has acknowledged the reports of everything so far. Rejects if the agent is stopped first. */
  flushed(): Promise<void>;
  /** Records that somebody looked into a compartment in doubt and found it empty, so that it can be used again. Throws if the sensor reports a parcel. */
  markChecked(compartmentId: string): Promise<void>;
  /** Stops the agent. Unacknowledged reports stay in the store for the next start. */
  stop(): Promise<void>;
}

/** What a store's counter uses of its agent. */
export interface Desk
  extends Pick<Door, "endUnmoved" | "moveListed" | "wrongParcel" | "takeOver" | "findMissing" | "snapshot" | "markChecked"> {
  /** The site's time, in ms since 1970. */
  nowMs(): number;
  /** Whether the last call reached the gateway, and when one did last, by the site's time. */
  link(): { readonly isOnline: boolean; readonly lastContactMs: number | undefined };
  /** As {@link Agent.present}, with a hand-over for each place that opens. */
  present(credential: Credential, steps: CounterSteps): Promise<Presentation>;
  /**
   * Where the parcel with a code belongs that no allowance has, by the gateway's word. Its allowances are in the store if it is expected here. Undefined: the gateway
   * does not answer within 3 s, cannot be reached, or does not tell.
   */
  resolveCode(code: string): Promise<ResolvedCode | undefined>;
  /** What the site takes in now, and what its people want it to take in from now on. Throws a RangeError that names what is wrong. */
  intake(): Intake;
  want(wanted: WantedIntake): void;
  /**
   * Reports what a clerk counted at the end of a shift. Call it within the transaction that ends the shift. Nothing is reported to an earlier gateway, nor where what
   * room is left for reports is for parcels.
   */
  shiftCounted(clerkId: string, shift: ReportedShift): void;
  /** Reports something at the counter that its operator is to look at. Call it within the transaction of it. Nothing is reported to an earlier gateway. */
  tell(kind: ConditionKind, clerkId: string): void;
  /** Resolves when all that the shelf has told is recorded. */
  written(): Promise<void>;
  /** Calls a listener when the gateway has said what it knows, and has known all reports before. */
  onAgreed(listener: () => void): void;
}

/** Makes the agent of a site. Throws a TypeError if an agent with a live key is to follow a test clock. */
export function createAgent(options: AgentOptions): Agent {
  const { client, siteId, store, cabinet, testClock, random = Math.random } = options;
  const { now = Date.now, after = afterByTimer } = testClock ?? options;
  const elapsedMs = testClock?.now ?? options.elapsedMs ?? options.now ?? (() => performance.now());
  const {
    reportKey,
    keyId = reportKey?.keyId ?? "",
    software = "petak-agent",
    maxSkewMs = defaultMaxSkewMs,
    graceMs = defaultGraceMs,
    refusalMs = 400,
  } = options;
  if (testClock !== undefined && modeOfKeyId(keyId) === "live") throw new TypeError("an agent with a live key cannot follow a test clock");
  const agreedListeners = new Set<() => void>();
  let isOnline = false;
  let lastContactMs: number | undefined;
  let state: "new" | "running" | "stopped" = "new";
  const onContact = (isReached: boolean) => {
    const isBack = isReached && !isOnline;
    isOnline = isReached;
    if (isReached) lastContactMs = clock.nowMs();
    watchLink(isReached);
    checkOutbox();
    if (isBack) flusher.retryNow();
    if (isBack) watcher?.retryNow();
  };

  if (reportKey !== undefined) store.outbox.signWith(createReportSigner(siteId, reportKey));
  const clock = createSiteClock({ now, elapsedMs, store, maxSkewMs, isGatewayClock: testClock !== undefined });
  const logger = createLogRing(options.logger, clock.nowMs);
  const onStorageFailure = (error: unknown) => door.storageFailed(error);
  const flusher = createFlusher({ client, siteId, store, logger, after, random, onContact, onStorageFailure });
  const reporter = createReporter({ store, clock, isOnline: () => isOnline });
  // Not once it stops: the store may be closed under what is still in progress.
  const checkOutbox = () => state === "running" && outboxLimit.check();
  const onReport = () => {
    intake.review();
    checkOutbox();
    flusher.wake();
  };
  const conditions = createConditions({ store, clock, reporter, onReport });
  const alarms = createAlarms({ client, siteId, logger, after, elapsedMs, random });
  const storage = createStorage({
    ...{ store, clock, logger },
    // The disk takes no report of it.
    onBroken: () => alarms.raise(ConditionKind.STORAGE_FAILED),
    onMended(sinceMs) {
      alarms.over(ConditionKind.STORAGE_FAILED);
      conditions.note({ kind: ConditionKind.STORAGE_FAILED, sinceMs });
    },
  });
  let fullSinceMs = 0;
  const outboxLimit = createOutboxLimit({
    ...{ store, logger, reportsMax: options.unsentReportsMax ?? unsentReportsMax },
    onFull() {
      fullSinceMs = clock.nowMs();
      alarms.raise(ConditionKind.OUTBOX_FULL);
    },
    onRoom() {
      alarms.over(ConditionKind.OUTBOX_FULL);
      conditions.note({ kind: ConditionKind.OUTBOX_FULL, sinceMs: fullSinceMs });
      door.written().catch((error: unknown) => logger.error({ err: error }, "refusals could not be recorded"));
    },
  });
  const watchLink = createLinkWatch({ store, clock, conditions });
  const intake = createSiteIntake({ store, cabinet, clock, reporter, logger, after, onReport: flusher.wake });
  const door = createDoor({
    siteId,
    store,
    cabinet,
    clock,
    reporter,
    challenges: createChallenges(elapsedMs),
    storage,
    outboxLimit,
    logger,
    after,
    elapsedMs,
    maxSkewMs,
    graceMs,
    refusalMs,
    onReport,
  });
  const synchroniser = createSynchroniser({
    client,
    siteId,
    keyId,
    software,
    store,
    cabinet,
    clock,
    conditions,
    logger,
    after,
    elapsedMs,
    random,
    maxSkewMs,
    onStorageFailure,
    onBoot(acknowledgedSequence) {
      flusher.begin(acknowledgedSequence);
      watcher?.start();
    },
    onSite: intake.review,
    onAdopted(compartmentIds) {
      options.onAdopted?.(compartmentIds);
      void door.findMissing();
    },
    onAgreed() {
      for (const listener of agreedListeners) listener();
    },
    onContact,
    onCommands: (received) => commands.receive(received),
  });
  const commands = createSiteCommands({
    ...{ store, door, clock, reporter, logger, keyId, syncNow: synchroniser.syncNow },
    restart: options.restart,
    onReport,
    onOutOfService: intake.report,
    onCommand: options.onCommand ?? (() => undefined),
  });
  const { resolveCode } = client;
  const resolver = resolveCode && createCodeResolver({ client: { resolveCode }, siteId, store, logger, after, onContact });
  const watcher = options.watchesCommands === true ? createWatcher() : undefined;

  function createWatcher(): CommandWatcher {
    const { watchCommands } = client;
    if (watchCommands === undefined) throw new TypeError("an agent that watches commands needs a client with watchCommands");
    let isNudged = false;
    return createCommandWatcher({
      ...{ client: { watchCommands }, siteId, store, logger, after, random },
      onCommands: (received) => commands.receive(received),
      onNudge() {
        // One more call is enough for all that has changed before it begins.
        if (isNudged) return;
        isNudged = true;
        synchroniser
          .syncNow(() => (isNudged = false))
          .catch((error: unknown) => logger.warn({ err: error }, "synchronising by a nudge failed"));
      },
    });
  }

  return {
    async start() {
      if (state !== "new") throw new Error("an agent can be started only once");
      store.bind(siteId);
      if (options.rootKey !== undefined) store.trust.pinRoot(options.rootKey);
      state = "running";
      await door.start();
      await commands.start();
      try {
        await synchroniser.syncNow();
      } catch (error) {
        const isNew = store.trustBundle() === undefined;
        if (isNew && isRefusal(error)) {
          await door.stop();
          await synchroniser.stop();
          state = "stopped";
          throw error;
        }
        logger.warn({ err: error }, isNew ? "the gateway was not reached; until it is, no door opens" : "the gateway was not reached");
      }
      synchroniser.startPolling();
      return isOnline;
    },
    challenge() {
      if (state !== "running") throw new Error("the agent is not running");
      return door.challenge();
    },
    async present(credential) {
      if (state !== "running") throw new Error("the agent is not running");
      return door.present(credential);
    },
    desk: {
      nowMs: clock.nowMs,
      link: () => ({ isOnline, lastContactMs }),
      async present(credential, steps) {
        if (state !== "running") throw new Error("the agent is not running");
        return door.present(credential, steps);
      },
      endUnmoved: door.endUnmoved,
      moveListed: door.moveListed,
      wrongParcel: door.wrongParcel,
      takeOver: door.takeOver,
      findMissing: door.findMissing,
      snapshot: door.snapshot,
      resolveCode: async (code) => (isOnline && state === "running" ? await resolver?.resolve(code) : undefined),
      intake: () => intake.now(),
      want: (wanted) => intake.want(wanted),
      shiftCounted(clerkId, shift) {
        if (!store.takesHandoverLists() || outboxLimit.isFull()) return;
        reporter.shiftCounted(clerkId, shift);
        flusher.wake();
      },
      tell(kind, clerkId) {
        if (!store.takesHandoverLists()) return;
        reporter.counterTold(kind, clerkId);
        flusher.wake();
      },
      markChecked: door.markChecked,
      written: door.written,
      onAgreed: (listener) => void agreedListeners.add(listener),
    },
    intake: intake.now,
    async setIntake(wanted) {
      if (state !== "running") throw new Error("the agent is not running");
      intake.want(wanted);
    },
    syncNow: () => synchroniser.syncNow(),
    async flushed() {
      await door.written();
      await flusher.flushed();
    },
    markChecked: door.markChecked,
    async stop() {
      if (state !== "running") return;
      state = "stopped";
      intake.stop();
      resolver?.stop();
      const watcherStopped = watcher?.stop();
      // A command that waits for the gateway ends with the synchroniser.
      const commandsStopped = commands.stop();
      await door.stop();
      await synchroniser.stop();
      await commandsStopped;
      await watcherStopped;
      await alarms.stop();
      await flusher.stop();
    },
  };
}

/** Whether an error is a permanent refusal by the gateway. */
function isRefusal(error: unknown): boolean {
  const { code } = ConnectError.from(error);
  if (isOtherInCharge(reasonOf(error))) return true;
  return code === Code.Unauthenticated || code === Code.PermissionDenied || code === Code.InvalidArgument || code === Code.NotFound;
}
