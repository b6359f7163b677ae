import { Code, ConnectError } from "@connectrpc/connect";
import { modeOfKeyId, type PetakClient } from "@petak/client";
import { defaultMaxSkewMs } from "@petak/credential";
import type { Cabinet } from "./cabinet/cabinet.ts";
import { createSiteClock } from "./clock.ts";
import type { Credential } from "./decision/snapshot.ts";
import { type Challenge, createChallenges } from "./door/challenges.ts";
import { createDoor, type Presentation } from "./door/door.ts";
import { createReportSigner, type ReportKey } from "./door/report-signer.ts";
import { createReporter } from "./door/reporter.ts";
import { defaultGraceMs } from "./door/visits.ts";
import type { AgentLogger } from "./logger.ts";
import type { AgentStore } from "./store/agent-store.ts";
import type { TestClockFollower } from "./test-clock.ts";
import { type After, afterByTimer } from "./timer.ts";
import { createFlusher } from "./uplink/flusher.ts";
import { createSynchroniser } from "./uplink/synchroniser.ts";

export interface AgentOptions {
  /** The gateway's agent service, with a key that is registered for the site. */
  client: Pick<PetakClient["agents"], "boot" | "sync" | "reportEvents">;
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
  /** The agent's database. The agent does not close it. */
  store: AgentStore;
  /** The terminal's locks and sensors. */
  cabinet: Cabinet;
  logger: AgentLogger;
  /** The device's clock, in ms since 1970. Default `Date.now`. */
  now?: () => number;
  /** Runs something later. Default: the process's timers. */
  after?: After;
  /**
   * Test network only: the gateway's test clock, in place of `now` and `after`. The agent then decides, reports and waits by the gateway's clock, also
   * while it cannot reach the gateway.
   */
  testClock?: Pick<TestClockFollower, "now" | "after">;
  /** Random numbers in [0, 1) for the jitter of retries. Default `Math.random`. */
  random?: () => number;
  /** Name and version, shown to the operator. Default `petak-agent`. */
  software?: string;
  /** Tolerated error of the device's clock, in ms. Default 300,000. */
  maxSkewMs?: number;
  /** Grace period during which the same credential may open its door again if the outcome is unknown, in ms. Default 120,000. */
  graceMs?: number;
  /**
   * Least time until the refusal of a credential, in ms, so that its timing reveals nothing about the reason. Default 400: longer than any decision takes, short
   * enough for a person.
   */
  refusalMs?: number;
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
  /** Synchronises with the gateway now. Throws if it cannot be reached. */
  syncNow(): Promise<void>;
  /** Resolves when the gateway has acknowledged the reports of everything so far. Rejects if the agent is stopped first. */
  flushed(): Promise<void>;
  /** Records that somebody looked into a compartment in doubt and found it empty, so that it can be used again. Throws if the sensor reports a parcel. */
  markChecked(compartmentId: string): Promise<void>;
  /** Stops the agent. Unacknowledged reports stay in the store for the next start. */
  stop(): Promise<void>;
}

/** Makes the agent of a site. Throws a TypeError if an agent with a live key is to follow a test clock. */
export function createAgent(options: AgentOptions): Agent {
  const { client, siteId, store, cabinet, logger, testClock, random = Math.random } = options;
  const { now = Date.now, after = afterByTimer } = testClock ?? options;
  const {
    reportKey,
    keyId = reportKey?.keyId ?? "",
    software = "petak-agent",
    maxSkewMs = defaultMaxSkewMs,
    graceMs = defaultGraceMs,
    refusalMs = 400,
  } = options;
  if (testClock !== undefined && modeOfKeyId(keyId) === "live") throw new TypeError("an agent with a live key cannot follow a test clock");
  let isOnline = false;
  let state: "new" | "running" | "stopped" = "new";
  const onContact = (isReached: boolean) => {
    const isBack = isReached && !isOnline;
    isOnline = isReached;
    if (isBack) flusher.retryNow();
  };

  if (reportKey !== undefined) store.outbox.signWith(createReportSigner(siteId, reportKey));
  const clock = createSiteClock({ now, store, maxSkewMs, isGatewayClock: testClock !== undefined });
  const flusher = createFlusher({ client, siteId, store, logger, after, random, onContact });
  const reporter = createReporter({ store, clock, isOnline: () => isOnline });
  const door = createDoor({
    siteId,
    store,
    cabinet,
    clock,
    reporter,
    challenges: createChallenges(now),
    logger,
    after,
    maxSkewMs,
    graceMs,
    refusalMs,
    onReport: flusher.wake,
  });
  const synchroniser = createSynchroniser({
    client,
    siteId,
    keyId,
    software,
    store,
    cabinet,
    clock,
    logger,
    after,
    now,
    random,
    maxSkewMs,
    onBoot: flusher.begin,
    onContact,
  });

  return {
    async start() {
      if (state !== "new") throw new Error("an agent can be started only once");
      store.bind(siteId);
      state = "running";
      await door.start();
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
    syncNow: synchroniser.syncNow,
    async flushed() {
      await door.written();
      await flusher.flushed();
    },
    markChecked: door.markChecked,
    async stop() {
      if (state !== "running") return;
      state = "stopped";
      await door.stop();
      await synchroniser.stop();
      await flusher.stop();
    },
  };
}

/** Whether an error is a permanent refusal by the gateway. */
function isRefusal(error: unknown): boolean {
  const { code } = ConnectError.from(error);
  return code === Code.Unauthenticated || code === Code.PermissionDenied || code === Code.InvalidArgument || code === Code.NotFound;
}
