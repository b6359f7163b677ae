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

/** What an agent needs. */
export interface AgentOptions {
  /** The gateway's agent service, called with a key that is registered for the site. */
  client: Pick<PetakClient["agents"], "boot" | "sync" | "reportEvents">;
  /** The site it runs. */
  siteId: string;
  /**
   * The key with which `client` signs: reports are signed with it when they are made, at the door, with or without the network. Without it
   * they are signed by `client` when it hands them over.
   */
  reportKey?: ReportKey;
  /**
   * The id of the key with which `client` signs. The gateway counts an agent's reports by key, so a store that goes on under a new key must
   * know. Default: that of `reportKey`, else one key for the store's whole life.
   */
  keyId?: string;
  /** Its memory. The agent uses it and does not close it. */
  store: AgentStore;
  /** Its locks and sensors. */
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
  /** A number in [0, 1) that spreads attempts to reach the gateway. Default `Math.random`. */
  random?: () => number;
  /** Name and version, for the operator. Default `petak-agent`. */
  software?: string;
  /** How far the device's clock may be wrong, in ms. Default 5 min. */
  maxSkewMs?: number;
  /** How long the same credential may open its door again while the outcome is open, in ms. Default 2 min. */
  graceMs?: number;
  /**
   * A credential that does not open is answered no sooner than this, in ms, whatever was wrong with it, so that the time tells nothing.
   * Default 400: longer than any decision takes, shorter than a person minds.
   */
  refusalMs?: number;
}

/** What a site runs. */
export interface Agent {
  /**
   * Takes up its work and asks the gateway for what has changed. Resolves true where the gateway was reached, false where it was not: the
   * agent then works from what it has on disk and goes on trying. Throws where the gateway refuses an agent that has nothing on disk, and
   * an AgentStoreError where the store is another site's.
   */
  start(): Promise<boolean>;
  /**
   * Gives a challenge to show: as a QR code on the screen, or over Bluetooth. Whoever holds a token that is bound to a key signs it, and
   * {@link present} takes the proof. It is good for a minute, once, and until the agent stops. Throws before start and after stop.
   */
  challenge(): Challenge;
  /** Decides on a credential and opens a door. It never needs the network. Throws before start and after stop. */
  present(credential: Credential): Promise<Presentation>;
  /** Asks the gateway now for what has changed. Throws where it cannot be reached. */
  syncNow(): Promise<void>;
  /** Resolves when all that has happened up to now is reported and acknowledged. Rejects when the agent is stopped first. */
  flushed(): Promise<void>;
  /** Somebody looked into a compartment in doubt: it is empty and may be used again. Throws where the sensor sees something in it. */
  markChecked(compartmentId: string): Promise<void>;
  /** Ends its work. What was not acknowledged stays in the store for the next start. */
  stop(): Promise<void>;
}

/** Makes the agent of a site. Throws a TypeError where an agent with a live key is to follow a test clock. */
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
    if (isBack) flusher.hurry();
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
    onReport: flusher.nudge,
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
      if (state !== "new") throw new Error("an agent starts once");
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
        logger.warn({ err: error }, isNew ? "the gateway was not reached; no door opens before it is" : "the gateway was not reached");
      }
      synchroniser.keepOn();
      return isOnline;
    },
    challenge() {
      if (state !== "running") throw new Error("the agent does not run");
      return door.challenge();
    },
    async present(credential) {
      if (state !== "running") throw new Error("the agent does not run");
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

/** Whether the gateway answered and will not answer otherwise. */
function isRefusal(error: unknown): boolean {
  const { code } = ConnectError.from(error);
  return code === Code.Unauthenticated || code === Code.PermissionDenied || code === Code.InvalidArgument || code === Code.NotFound;
}
