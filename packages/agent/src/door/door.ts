import { Act, DeviceEventType } from "@petak/protocol";
import type { Cabinet } from "../cabinet/cabinet.ts";
import type { SiteClock } from "../clock.ts";
import { decide, type Opening, type Refusal } from "../decision/decide.ts";
import { type PersonRefusal, personRefusal } from "../decision/refusals.ts";
import type { Credential, DoorSnapshot } from "../decision/snapshot.ts";
import type { AgentLogger } from "../logger.ts";
import type { AgentStore } from "../store/agent-store.ts";
import type { After } from "../timer.ts";
import { type ReportedCredential, type Reporter, reportedHash } from "./reporter.ts";
import { createSerialQueue } from "./serial-queue.ts";
import { createVisits } from "./visits.ts";

/** What comes of a credential at the door. */
export type Presentation =
  | { readonly opened: true; readonly compartmentId: string; readonly act: Act }
  | { readonly opened: false; readonly refusal: PersonRefusal };

/** What a door needs. */
export interface DoorOptions {
  siteId: string;
  store: AgentStore;
  cabinet: Cabinet;
  clock: SiteClock;
  reporter: Reporter;
  logger: AgentLogger;
  after: After;
  maxSkewMs: number;
  graceMs: number;
  /** Refusals that could tell something are given no sooner than this after the credential came, in ms. */
  refusalMs: number;
  /** Called after reports were written. */
  onReport: () => void;
}

/** The doors of a terminal. Nothing here needs the network. */
export interface Door {
  present(credential: Credential): Promise<Presentation>;
  /** Somebody looked into a compartment: it is empty and may be used again. Throws where the sensor sees something in it. */
  markChecked(compartmentId: string): Promise<void>;
  /** Resolves when everything that the sensors have said up to now is written down. */
  written(): Promise<void>;
  /** Begins to watch the sensors, and takes up the visits that a restart interrupted. */
  start(): Promise<void>;
  /** Ends, when what is being decided has been. */
  stop(): Promise<void>;
}

/** Makes the doors. Credentials and sensors are looked at one after another, so that no two of them find one compartment free. */
export function createDoor(options: DoorOptions): Door {
  const { siteId, store, cabinet, clock, reporter, logger, after, onReport, graceMs } = options;
  const enqueue = createSerialQueue();
  const visits = createVisits({ store, cabinet, clock, reporter, logger, graceMs });
  let stopWatching: (() => void) | undefined;
  let cancelSettling: (() => void) | undefined;

  function takeSnapshot(): DoorSnapshot {
    return {
      siteId,
      sizeClassIds: (store.site()?.sizeClasses ?? []).map(({ sizeClassId }) => sizeClassId),
      trustBundle: store.trustBundle(),
      pinKey: store.pinKey(),
      allowances: store.allowances(),
      isSpent: store.isSpent,
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
    return decision.opens ? open(decision) : refuse(decision);
  }

  async function refuse(decision: Refusal): Promise<Presentation> {
    const { proofKind, credentialId, act = Act.UNSPECIFIED, reservationId = "", lockOut, refusal } = decision;
    const reported = { proofKind, act, reservationId, credentialHash: await reportedHash(credentialId) };
    store.transaction(() => {
      store.saveLockOut(lockOut);
      clock.mark();
      reporter.refused(reported, refusal);
    });
    return { opened: false, refusal: personRefusal(refusal) };
  }

  async function open(decision: Opening): Promise<Presentation> {
    const { proofKind, credentialId, act, reservationId, compartmentIds } = decision;
    const reported = { proofKind, act, reservationId, credentialHash: await reportedHash(credentialId) };
    for (const compartmentId of compartmentIds) {
      if (await openOne(compartmentId, decision, reported)) return { opened: true, compartmentId, act };
    }
    store.transaction(() => reporter.refused(reported, "LOCK_FAILED"));
    return { opened: false, refusal: personRefusal("LOCK_FAILED") };
  }

  async function openOne(compartmentId: string, decision: Opening, reported: ReportedCredential): Promise<boolean> {
    const { proofKind, credentialId, act, reservationId } = decision;
    const record = store.compartment(compartmentId);
    const before = store.visits().find((visit) => visit.compartmentId === compartmentId);
    const reopenings = before === undefined ? 0 : before.reopenings + 1;
    const visit = { compartmentId, credentialId, proofKind, act, reservationId, reopenings, graceUntilMs: clock.nowMs() + graceMs };
    // On the disk before the lock is pulsed: the credential is spent, and whose visit it is.
    store.transaction(() => {
      if (!store.isSpent(credentialId)) store.spend(credentialId, decision.expiresAtMs);
      for (const other of store.visits()) if (other.credentialId === credentialId) store.removeVisit(other.compartmentId);
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

  /** Looks again when the next grace passes. */
  function scheduleSettling(): void {
    cancelSettling?.();
    const deadlineMs = visits.nextDeadlineMs();
    cancelSettling = deadlineMs === undefined ? undefined : after(Math.max(0, deadlineMs - clock.nowMs()), () => void settle());
  }

  /** Runs one step for the sensors. A step that fails is told to the operator; nobody waits for it. */
  async function watch(step: () => Promise<void>): Promise<void> {
    await enqueue(step).catch((error: unknown) => logger.error({ err: error }, "what the sensors say could not be written down"));
    if (stopWatching !== undefined) scheduleSettling();
    onReport();
  }

  function settle(): Promise<void> {
    return watch(visits.settleOverdue);
  }

  return {
    async present(credential) {
      const cameAtMs = performance.now();
      const presentation = await enqueue(() => present(credential));
      scheduleSettling();
      onReport();
      if (!presentation.opened && presentation.refusal === "NOT_ACCEPTED") {
        const restMs = options.refusalMs - (performance.now() - cameAtMs);
        if (restMs > 0) await new Promise<void>((resolve) => after(restMs, resolve));
      }
      return presentation;
    },
    markChecked(compartmentId) {
      return enqueue(() => {
        if (cabinet.occupancy(compartmentId) === "OCCUPIED") throw new Error(`something is in compartment '${compartmentId}'`);
        store.saveCompartment({ compartmentId, condition: "OK", reservationId: "" });
      });
    },
    written: () => enqueue(() => undefined),
    async start() {
      stopWatching = cabinet.onChange((compartmentId) => void watch(() => visits.look(compartmentId)));
      for (const { compartmentId } of store.visits()) await watch(() => visits.look(compartmentId));
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
