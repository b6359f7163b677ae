import { Act, DeviceEventType, ProofKind } from "@petak/protocol";
import type { Cabinet, Occupancy } from "../cabinet/cabinet.ts";
import type { SiteClock } from "../clock.ts";
import type { Visit } from "../decision/snapshot.ts";
import type { AgentLogger } from "../logger.ts";
import type { AgentStore } from "../store/agent-store.ts";
import { type ReportedCredential, type Reporter, reportedHash, type Unmoved } from "./reporter.ts";

/** Grace period during which the same credential may open its door again if the outcome is unknown, in ms: time to fetch a forgotten parcel. */
export const defaultGraceMs = 120_000;

/** Tracks opened doors until their outcome is known. */
export interface Visits {
  /**
   * Reads a compartment's sensors and records the result. Returns the visit if its door was closed and no parcel is detected inside any more.
   */
  inspect(compartmentId: string): Promise<Visit | undefined>;
  /** Reports doubt where a parcel was recorded and the sensor shows none, although no credential took it: the agent was not there to see. */
  findMissing(compartmentId: string): void;
  /** Settles the visits whose grace period has ended. */
  settleAfterGrace(): Promise<void>;
  /**
   * Ends a visit at a store whose parcel has not moved, as its clerk said. Its credential is good again, unless the person refused the parcel. CANNOT_FIND: the compartment
   * is in doubt.
   *
   * @param change made in the same transaction
   * @returns the visit; undefined, and no change, if there is none, or its parcel may have moved
   */
  endUnmoved(compartmentId: string, why: Unmoved, change: () => void): Promise<Visit | undefined>;
  /** The credential of the visit at a compartment, for a report. Undefined: there is none. */
  credentialAt(compartmentId: string): Promise<ReportedCredential | undefined>;
  /** Records that a compartment is empty and free. If it was in doubt, its reservation has ended here. */
  clear(compartmentId: string): void;
  /** End of the next grace period, in ms since 1970; undefined if there is none. */
  nextDeadlineMs(): number | undefined;
}

/**
 * Tracks visits: OPENING (the credential is spent on disk, before the lock is pulsed), then OPEN, then the outcome. A closed door proves nothing; the occupancy
 * sensor decides. If it does not show the expected result, the visit is CLOSED and waits for the sensor or the same credential until the grace period ends.
 * After that the compartment is in doubt and stays unused until somebody has checked it.
 */
export function createVisits(options: {
  store: AgentStore;
  cabinet: Cabinet;
  clock: SiteClock;
  reporter: Reporter;
  logger: AgentLogger;
  graceMs: number;
}): Visits {
  const { store, cabinet, clock, reporter, logger, graceMs } = options;
  const reported = (visit: Visit) => reportedVisit(visit, store);

  async function inspect(compartmentId: string): Promise<Visit | undefined> {
    const visit = store.visits().find((one) => one.compartmentId === compartmentId);
    const door = cabinet.doorState(compartmentId);
    if (visit === undefined) {
      if (door === "OPEN") reportUnexplainedOpening(compartmentId);
      return undefined;
    }
    const credential = await reported(visit);
    if (visit.phase === "OPENING" && door === "OPEN") {
      // The lock was pulsed, but the power failed before that was recorded.
      store.transaction(() => {
        reporter.happened(DeviceEventType.DOOR_OPENED, credential, compartmentId);
        store.saveVisit({ ...visit, phase: "OPEN" });
      });
    } else if (visit.phase === "OPEN" && door === "CLOSED") {
      return store.transaction(() => {
        reporter.happened(DeviceEventType.DOOR_CLOSED, credential, compartmentId);
        if (settled(visit, credential)) return visit;
        store.saveVisit({ ...visit, phase: "CLOSED", graceUntilMs: clock.nowMs() + graceMs });
        return cabinet.occupancy(compartmentId) === "UNKNOWN" ? visit : undefined;
      });
    } else if (visit.phase === "CLOSED" && door === "CLOSED") {
      return store.transaction(() => (settled(visit, credential) ? visit : undefined));
    }
    return undefined;
  }

  /** Records a visit's outcome if the sensor shows it. */
  function settled(visit: Visit, credential: ReportedCredential): boolean {
    const { compartmentId, act, reservationId } = visit;
    if (act === Act.SERVICE) return settledService(visit);
    const outcome = outcomes.get(act);
    if (outcome === undefined || cabinet.occupancy(compartmentId) !== outcome.occupancy) return false;
    const checked = act === Act.COLLECT ? store.counter.checkedAt(compartmentId) : {};
    reporter.happened(outcome.type, { ...credential, ...checked }, compartmentId);
    if (act === Act.DEPOSIT) store.saveCompartment({ compartmentId, condition: "OK", reservationId });
    else {
      clear(compartmentId);
      store.saveEnded(reservationId);
    }
    store.removeVisit(compartmentId);
    return true;
  }

  /** Service moves no parcel: if a parcel was behind the door and is not detected any more, there is doubt. An existing doubt ends if the place is empty. */
  function settledService({ compartmentId, reservationId }: Visit): boolean {
    const { condition } = store.compartment(compartmentId);
    const occupancy = cabinet.occupancy(compartmentId);
    if (condition !== "IN_DOUBT" && reservationId !== "" && occupancy !== "OCCUPIED") return false;
    if (condition === "IN_DOUBT" && occupancy === "EMPTY") clear(compartmentId);
    store.removeVisit(compartmentId);
    return true;
  }

  function clear(compartmentId: string): void {
    const { reservationId, condition } = store.compartment(compartmentId);
    store.transaction(() => {
      if (condition === "IN_DOUBT" && reservationId !== "") store.saveEnded(reservationId);
      store.saveCompartment({ compartmentId, condition: "OK", reservationId: "" });
    });
  }

  function doubt(visit: Visit, credential: ReportedCredential): void {
    const { compartmentId, reservationId } = visit;
    reporter.happened(DeviceEventType.DOUBT, credential, compartmentId);
    store.saveCompartment({ compartmentId, condition: "IN_DOUBT", reservationId });
    store.removeVisit(compartmentId);
    logger.warn({ compartmentId, reservationId }, "nobody knows whether the parcel is inside");
  }

  async function endUnmoved(compartmentId: string, why: Unmoved, change: () => void): Promise<Visit | undefined> {
    const visit = store.visits().find((one) => one.compartmentId === compartmentId);
    if (visit?.phase !== "OPEN" || cabinet.doorState(compartmentId) !== "OPEN") return undefined;
    const { credentialId } = visit;
    const credential = await reported(visit);
    return store.transaction(() => {
      change();
      const shown = { ...credential, ...store.counter.endedAt(compartmentId), clerkId: store.counter.clerkAt(compartmentId) };
      reporter.happened(DeviceEventType.DOOR_CLOSED, shown, compartmentId, why);
      if (why === "CANNOT_FIND") doubt(visit, shown);
      else store.removeVisit(compartmentId);
      if (why !== "REFUSED_BY_PERSON") store.unspend(credentialId, visit);
      return visit;
    });
  }

  async function settleAfterGrace(): Promise<void> {
    const nowMs = clock.nowMs();
    for (const visit of store.visits()) {
      if (visit.graceUntilMs > nowMs) {
        // It began by a clock that was ahead, and has been corrected since.
        if (visit.graceUntilMs > nowMs + graceMs) store.saveVisit({ ...visit, graceUntilMs: nowMs + graceMs });
        continue;
      }
      await inspect(visit.compartmentId);
      const current = store.visits().find(({ compartmentId }) => compartmentId === visit.compartmentId);
      if (current === undefined || current.graceUntilMs > nowMs || standsOpen(current)) continue;
      const credential = await reported(current);
      store.transaction(() => (current.phase === "OPENING" ? settleUnopened(current, credential) : doubt(current, credential)));
    }
  }

  /** Whether a door is still open after it was opened. Then there is no deadline; where the sensor fails, or did not tell that the door was closed, there is. */
  function standsOpen({ phase, compartmentId }: Visit): boolean {
    return phase === "OPEN" && cabinet.doorState(compartmentId) === "OPEN";
  }

  /** Settles a visit whose door was never seen open: the lock failed, or the power failed at that moment. */
  function settleUnopened(visit: Visit, credential: ReportedCredential): void {
    const { compartmentId, act } = visit;
    if (act === Act.SERVICE) {
      if (!settledService(visit)) doubt(visit, credential);
      return;
    }
    const occupancy = cabinet.occupancy(compartmentId);
    if (occupancy === outcomes.get(act)?.occupancy) {
      reporter.happened(DeviceEventType.DOOR_OPENED, credential, compartmentId);
      reporter.happened(DeviceEventType.DOOR_CLOSED, credential, compartmentId);
      settled(visit, credential);
    } else if (occupancy === "UNKNOWN") doubt(visit, credential);
    else store.removeVisit(compartmentId);
  }

  function reportUnexplainedOpening(compartmentId: string): void {
    logger.warn({ compartmentId }, "a door is open although no credential opened it");
    doubtUnexplained(compartmentId);
  }

  function findMissing(compartmentId: string): void {
    const { reservationId, condition } = store.compartment(compartmentId);
    if (reservationId === "" || condition === "IN_DOUBT" || cabinet.occupancy(compartmentId) !== "EMPTY") return;
    if (store.visits().some((visit) => visit.compartmentId === compartmentId)) return;
    logger.warn({ compartmentId, reservationId }, "a parcel is gone although no credential took it");
    doubtUnexplained(compartmentId);
  }

  function doubtUnexplained(compartmentId: string): void {
    const record = store.compartment(compartmentId);
    if (record.reservationId === "" || record.condition === "IN_DOUBT") return;
    store.transaction(() => {
      const nobody = { proofKind: ProofKind.UNSPECIFIED, credentialHash: "", act: Act.UNSPECIFIED };
      const unproven = { ...nobody, reservationId: record.reservationId, bundleId: "", delegated: false };
      reporter.happened(DeviceEventType.DOUBT, unproven, compartmentId);
      store.saveCompartment({ ...record, condition: "IN_DOUBT" });
    });
  }

  return {
    inspect,
    findMissing,
    settleAfterGrace,
    endUnmoved,
    async credentialAt(compartmentId) {
      const visit = store.visits().find((one) => one.compartmentId === compartmentId);
      return visit && (await reported(visit));
    },
    clear,
    nextDeadlineMs() {
      const deadlines = store.visits().filter((visit) => !standsOpen(visit));
      return deadlines.length === 0 ? undefined : Math.min(...deadlines.map(({ graceUntilMs }) => graceUntilMs));
    },
  };
}

/** The sensor reading that completes an act, and its report. */
const outcomes: ReadonlyMap<Act, { occupancy: Occupancy; type: DeviceEventType }> = new Map([
  [Act.DEPOSIT, { occupancy: "OCCUPIED", type: DeviceEventType.PARCEL_DEPOSITED }],
  [Act.COLLECT, { occupancy: "EMPTY", type: DeviceEventType.PARCEL_COLLECTED }],
  [Act.RECALL, { occupancy: "EMPTY", type: DeviceEventType.PARCEL_RECALLED }],
]);

/** A visit's credential, with the clerk who has to do with it now. */
async function reportedVisit(visit: Visit, store: AgentStore): Promise<ReportedCredential> {
  const { compartmentId, proofKind, credentialId, act, reservationId, bundleId, isDelegated, presence = "" } = visit;
  const credentialHash = await reportedHash(credentialId);
  const clerkId = store.counter.clerkAt(compartmentId);
  const whose = { proofKind, act, reservationId, bundleId, delegated: isDelegated, presence, credentialHash };
  return { ...whose, ...(clerkId !== "" && { clerkId }), ...store.counter.endedAt(compartmentId) };
}
