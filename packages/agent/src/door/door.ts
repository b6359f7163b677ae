import { readPresence } from "@petak/credential";
import { Act, DeviceEventType } from "@petak/protocol";
import type { Cabinet } from "../cabinet/cabinet.ts";
import type { SiteClock } from "../clock.ts";
import { type Decision, decide, type Opening, type Refusal } from "../decision/decide.ts";
import { type PersonRefusal, personRefusal } from "../decision/refusals.ts";
import type { ChosenDoor } from "../decision/reservation-rules.ts";
import type { Credential, DoorSnapshot, Visit } from "../decision/snapshot.ts";
import type { AgentLogger } from "../logger.ts";
import type { AgentStore } from "../store/agent-store.ts";
import type { After } from "../timer.ts";
import type { Challenge, Challenges } from "./challenges.ts";
import { type ReportedCredential, type Reporter, reportedHash } from "./reporter.ts";
import { createSerialQueue } from "./serial-queue.ts";
import { createVisits } from "./visits.ts";

/** Result of presenting a credential. */
export type Presentation =
  | {
      readonly opened: true;
      readonly compartmentId: string;
      readonly act: Act;
      /** Number of further doors of the bundle; each opens once the previous one was closed and its parcel taken. */
      readonly doorsToCome: number;
    }
  | { readonly opened: false; readonly refusal: PersonRefusal };

export interface DoorOptions {
  siteId: string;
  store: AgentStore;
  cabinet: Cabinet;
  clock: SiteClock;
  reporter: Reporter;
  challenges: Challenges;
  logger: AgentLogger;
  after: After;
  maxSkewMs: number;
  graceMs: number;
  /** Least time from a presentation to the refusal NOT_ACCEPTED, in ms, so that its timing reveals nothing. */
  refusalMs: number;
  /** Called after reports may have been written. */
  onReport: () => void;
}

/** The doors of a terminal. Works offline. */
export interface Door {
  /** Issues a challenge for the holder of a token. */
  challenge(): Challenge;
  present(credential: Credential): Promise<Presentation>;
  /** Records that somebody looked into a compartment and found it empty, so that it can be used again. Throws if the sensor reports a parcel. */
  markChecked(compartmentId: string): Promise<void>;
  /** Resolves when all sensor readings so far have been recorded. */
  written(): Promise<void>;
  /** Starts watching the sensors, and resumes visits that a restart interrupted. */
  start(): Promise<void>;
  /** Stops after the decision in progress. */
  stop(): Promise<void>;
}

/** Makes the doors. Credentials and sensor readings are processed one at a time, so that no compartment is given away twice. */
export function createDoor(options: DoorOptions): Door {
  const { siteId, store, cabinet, clock, reporter, challenges, logger, after, onReport, graceMs } = options;
  const enqueue = createSerialQueue();
  const visits = createVisits({ store, cabinet, clock, reporter, logger, graceMs });
  /**
   * The bundles that are being collected, by credential id, with the time until which the next door opens automatically. Not on disk: after a restart the person
   * may have left.
   */
  const collections = new Map<string, { credential: Credential; untilMs: number }>();
  let stopWatching: (() => void) | undefined;
  let cancelSettling: (() => void) | undefined;

  function takeSnapshot(): DoorSnapshot {
    return {
      siteId,
      sizeClassIds: (store.site()?.sizeClasses ?? []).map(({ sizeClassId }) => sizeClassId),
      trustBundle: store.trustBundle(),
      pinKey: store.pinKey(),
      allowances: store.allowances(),
      bundles: store.bundles(),
      revokedServiceHashes: store.revokedServiceHashes(),
      isSpent: store.isSpent,
      toCollect: store.toCollect,
      hasEnded: store.hasEnded,
      challengeAgeMs: challenges.ageMs,
      visits: store.visits(),
      compartments: cabinet.compartments().map(({ compartmentId, sizeClassId }) => ({
        ...store.compartment(compartmentId),
        sizeClassId,
        door: cabinet.doorState(compartmentId),
        occupancy: cabinet.occupancy(compartmentId),
      })),
      lockOut: store.lockOut(),
      clockTrusted: clock.isTrusted(),
      maxSkewMs: options.maxSkewMs,
    };
  }

  async function present(credential: Credential): Promise<Presentation> {
    const decision = await decide(credential, takeSnapshot(), clock.nowMs());
    useChallenge(credential);
    return decision.opens ? open(credential, decision) : refuse(decision);
  }

  /** A challenge is used up by the first proof for it, valid or not. */
  function useChallenge(credential: Credential): void {
    const presence = "token" in credential && credential.presence !== undefined ? readPresence(credential.presence) : undefined;
    if (presence !== undefined) challenges.use(presence.challenge);
  }

  async function refuse(decision: Refusal): Promise<Presentation> {
    const { lockOut, refusal } = decision;
    const reported = await reportedOf(decision);
    store.transaction(() => {
      store.saveLockOut(lockOut);
      clock.mark();
      reporter.refused(reported, refusal);
    });
    return { opened: false, refusal: personRefusal(refusal) };
  }

  async function open(credential: Credential, decision: Opening): Promise<Presentation> {
    const { credentialId, act, bundleId, doors } = decision;
    const reported = await reportedOf(decision);
    for (const [index, chosen] of doors.entries()) {
      if (!(await openOne(chosen, decision, { ...reported, reservationId: chosen.reservationId }))) continue;
      const doorsToCome = bundleId === "" ? 0 : unopened(doors.slice(index + 1)).length;
      if (doorsToCome === 0) collections.delete(credentialId);
      else collections.set(credentialId, { credential, untilMs: clock.nowMs() + graceMs });
      return { opened: true, compartmentId: chosen.compartmentId, act, doorsToCome };
    }
    const [first] = doors;
    store.transaction(() => reporter.refused({ ...reported, reservationId: first?.reservationId ?? "" }, "LOCK_FAILED"));
    return { opened: false, refusal: personRefusal("LOCK_FAILED") };
  }

  /**
   * Opens the next door of a bundle after one was closed and no parcel is detected inside, so that the credential need be presented only once. Only within the
   * grace period after the last opening: no door may open after the person has left. Presenting the credential again continues the collection.
   */
  async function openNextDoor(closed: Visit): Promise<void> {
    const collection = collections.get(closed.credentialId);
    if (collection === undefined) return;
    collections.delete(closed.credentialId);
    const nowMs = clock.nowMs();
    if (nowMs >= collection.untilMs) return;
    const decision = await decide(collection.credential, takeSnapshot(), nowMs);
    if (!decision.opens) return;
    const doors = unopened(decision.doors);
    if (doors.length > 0) await open(collection.credential, { ...decision, doors });
  }

  /** The doors for which there is no visit in progress. */
  function unopened(doors: readonly ChosenDoor[]): ChosenDoor[] {
    const visits = store.visits();
    return doors.filter((door) => !visits.some(({ compartmentId }) => compartmentId === door.compartmentId));
  }

  async function openOne({ compartmentId, reservationId }: ChosenDoor, decision: Opening, reported: ReportedCredential): Promise<boolean> {
    const { proofKind, credentialId, act, bundleId, isDelegated } = decision;
    const record = store.compartment(compartmentId);
    const before = store.visits().find((visit) => visit.compartmentId === compartmentId);
    const reopenings = before === undefined ? 0 : before.reopenings + 1;
    const whose = { credentialId, proofKind, act, reservationId, bundleId, isDelegated };
    const visit = { compartmentId, ...whose, reopenings, graceUntilMs: clock.nowMs() + graceMs };
    // On disk before the lock is pulsed: the credential is spent (a bundle's for this reservation), and the visit has begun.
    store.transaction(() => {
      if (!store.isSpent(credentialId)) {
        store.spend(credentialId, decision.expiresAtMs);
        store.saveToCollect(credentialId, decision.toCollect);
      }
      store.removeToCollect(credentialId, reservationId);
      for (const other of store.visits()) {
        if (other.credentialId === credentialId && other.reservationId === reservationId) store.removeVisit(other.compartmentId);
      }
      store.saveVisit({ ...visit, phase: "OPENING" });
      store.saveLockOut(decision.lockOut);
      clock.mark();
    });
    try {
      await cabinet.open(compartmentId);
    } catch (error) {
      logger.error({ compartmentId, err: error }, "the lock did not open");
      if (record.condition === "OK") store.saveCompartment({ ...record, condition: "LOCK_FAILED" });
      return false;
    }
    store.transaction(() => {
      reporter.happened(DeviceEventType.DOOR_OPENED, reported, compartmentId);
      store.saveVisit({ ...visit, phase: "OPEN" });
      if (record.condition === "LOCK_FAILED") store.saveCompartment({ ...record, condition: "OK" });
    });
    return true;
  }

  async function inspect(compartmentId: string): Promise<void> {
    const closed = await visits.inspect(compartmentId);
    if (closed !== undefined) await openNextDoor(closed);
  }

  /** Schedules the next end of a grace period. */
  function scheduleSettling(): void {
    cancelSettling?.();
    const deadlineMs = visits.nextDeadlineMs();
    cancelSettling = deadlineMs === undefined ? undefined : after(Math.max(0, deadlineMs - clock.nowMs()), () => void settle());
  }

  /** Processes a sensor reading. A failure is logged, since no caller waits for it. */
  async function watch(step: () => Promise<void>): Promise<void> {
    await enqueue(step).catch((error: unknown) => logger.error({ err: error }, "a sensor reading could not be recorded"));
    if (stopWatching !== undefined) scheduleSettling();
    onReport();
  }

  function settle(): Promise<void> {
    return watch(visits.settleAfterGrace);
  }

  return {
    challenge: challenges.issue,
    async present(credential) {
      const presentedAtMs = performance.now();
      const presentation = await enqueue(() => present(credential));
      scheduleSettling();
      onReport();
      if (!presentation.opened && presentation.refusal === "NOT_ACCEPTED") {
        const restMs = options.refusalMs - (performance.now() - presentedAtMs);
        if (restMs > 0) await new Promise<void>((resolve) => after(restMs, resolve));
      }
      return presentation;
    },
    markChecked(compartmentId) {
      return enqueue(() => {
        if (cabinet.occupancy(compartmentId) === "OCCUPIED") throw new Error(`compartment '${compartmentId}' is not empty`);
        visits.clear(compartmentId);
      });
    },
    written: () => enqueue(() => undefined),
    async start() {
      stopWatching = cabinet.onChange((compartmentId) => void watch(() => inspect(compartmentId)));
      for (const { compartmentId } of store.visits()) await watch(() => inspect(compartmentId));
      scheduleSettling();
    },
    async stop() {
      stopWatching?.();
      stopWatching = undefined;
      cancelSettling?.();
      await enqueue(() => undefined);
    },
  };
}

async function reportedOf(decision: Decision): Promise<ReportedCredential> {
  const { proofKind, credentialId, act = Act.UNSPECIFIED, reservationId = "", bundleId = "", isDelegated = false } = decision;
  return { proofKind, act, reservationId, bundleId, delegated: isDelegated, credentialHash: await reportedHash(credentialId) };
}
