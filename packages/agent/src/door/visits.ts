import { Act, DeviceEventType, ProofKind } from "@petak/protocol";
import type { Cabinet, Occupancy } from "../cabinet/cabinet.ts";
import type { SiteClock } from "../clock.ts";
import type { Visit } from "../decision/snapshot.ts";
import type { AgentLogger } from "../logger.ts";
import type { AgentStore } from "../store/agent-store.ts";
import { type ReportedCredential, type Reporter, reportedHash } from "./reporter.ts";

/** Grace period during which the same credential may open its door again if the outcome is unknown, in ms: time to fetch a forgotten parcel. */
export const defaultGraceMs = 120_000;

/** Tracks opened doors until their outcome is known. */
export interface Visits {
  /**
   * Reads a compartment's sensors and records the result. Returns the visit if its door was closed and no parcel is detected inside any more.
   */
  inspect(compartmentId: string): Promise<Visit | undefined>;
  /** Settles the visits whose grace period has ended. */
  settleAfterGrace(): Promise<void>;
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
    reporter.happened(outcome.type, credential, compartmentId);
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
    logger.warn({ compartmentId, reservationId }, "the sensors do not show whether the parcel is inside");
  }

  async function settleAfterGrace(): Promise<void> {
    const nowMs = clock.nowMs();
    for (const visit of store.visits()) {
      if (visit.graceUntilMs > nowMs) continue;
      await inspect(visit.compartmentId);
      const current = store.visits().find(({ compartmentId }) => compartmentId === visit.compartmentId);
      if (current === undefined || current.phase === "OPEN" || current.graceUntilMs > nowMs) continue;
      const credential = await reported(current);
      store.transaction(() => (current.phase === "OPENING" ? settleUnopened(current, credential) : doubt(current, credential)));
    }
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
    const record = store.compartment(compartmentId);
    logger.warn({ compartmentId }, "a door is open although no credential opened it");
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
    settleAfterGrace,
    clear,
    nextDeadlineMs() {
      // An open door has no deadline. A door that was closed without a notification from the sensor does.
      const deadlines = store
        .visits()
        .filter(({ phase, compartmentId }) => phase !== "OPEN" || cabinet.doorState(compartmentId) === "CLOSED");
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

async function reported({ proofKind, credentialId, act, reservationId, bundleId, isDelegated }: Visit): Promise<ReportedCredential> {
  return { proofKind, act, reservationId, bundleId, delegated: isDelegated, credentialHash: await reportedHash(credentialId) };
}
