import { Act, DeviceEventType, ProofKind } from "@petak/protocol";
import type { Cabinet, Occupancy } from "../cabinet/cabinet.ts";
import type { SiteClock } from "../clock.ts";
import type { Visit } from "../decision/snapshot.ts";
import type { AgentLogger } from "../logger.ts";
import type { AgentStore } from "../store/agent-store.ts";
import { type ReportedCredential, type Reporter, reportedHash } from "./reporter.ts";

/** How long the same credential may open its door again while the outcome is open, in ms: two minutes, to fetch what was forgotten. */
export const defaultGraceMs = 120_000;

/** Watches what becomes of opened doors. */
export interface Visits {
  /**
   * Looks at a compartment and writes down what has become of it. Gives the visit whose door was closed and
   * whose parcel is not seen inside any more, if it is one.
   */
  look(compartmentId: string): Promise<Visit | undefined>;
  /** Settles the visits whose grace has passed. */
  settleAfterGrace(): Promise<void>;
  /** Writes down that a compartment is empty and nobody's. Where there was doubt whether a parcel was there, its reservation is over here. */
  clear(compartmentId: string): void;
  /** When the next grace passes, in ms, or undefined where nothing is open. */
  nextDeadlineMs(): number | undefined;
}

/**
 * Makes the watch. A visit goes from OPENING (spent, on disk, before the lock is pulsed) over OPEN to its outcome. A closed door alone
 * proves nothing: the outcome is what the occupancy sensor shows. Where it does not show it, the visit is CLOSED and waits for the sensor
 * or the same credential until its grace has passed; then it is in doubt, and the compartment is given to nobody until somebody looks.
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

  async function look(compartmentId: string): Promise<Visit | undefined> {
    const visit = store.visits().find((one) => one.compartmentId === compartmentId);
    const door = cabinet.doorState(compartmentId);
    if (visit === undefined) {
      if (door === "OPEN") openedByNobody(compartmentId);
      return undefined;
    }
    const credential = await reported(visit);
    if (visit.phase === "OPENING" && door === "OPEN") {
      // The lock was pulsed, and the power went before that was written down.
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

  /** Writes down a visit's outcome where the sensor shows it. */
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

  /** Work moves no parcel: one that lay behind the door must lie there still, else there is doubt. A doubt ends where the place is seen empty. */
  function settledService({ compartmentId, reservationId }: Visit): boolean {
    const { condition } = store.compartment(compartmentId);
    const occupancy = cabinet.occupancy(compartmentId);
    if (condition !== "IN_DOUBT" && reservationId !== "" && occupancy !== "OCCUPIED") return false;
    if (condition === "IN_DOUBT" && occupancy === "EMPTY") clear(compartmentId);
    store.removeVisit(compartmentId);
    return true;
  }

  /** Writes down that a compartment is empty. Where there was doubt whether a parcel was there, its reservation is over here. */
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
    logger.warn({ compartmentId, reservationId }, "the sensors do not show what became of the parcel");
  }

  async function settleAfterGrace(): Promise<void> {
    const nowMs = clock.nowMs();
    for (const visit of store.visits()) {
      if (visit.graceUntilMs > nowMs) continue;
      await look(visit.compartmentId);
      const current = store.visits().find(({ compartmentId }) => compartmentId === visit.compartmentId);
      if (current === undefined || current.phase === "OPEN" || current.graceUntilMs > nowMs) continue;
      const credential = await reported(current);
      store.transaction(() => (current.phase === "OPENING" ? settleUnopened(current, credential) : doubt(current, credential)));
    }
  }

  /** A visit whose lock was never seen to open: it failed, or the power went at that moment. */
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

  function openedByNobody(compartmentId: string): void {
    const record = store.compartment(compartmentId);
    logger.warn({ compartmentId }, "a door is open that no credential opened");
    if (record.reservationId === "" || record.condition === "IN_DOUBT") return;
    store.transaction(() => {
      const nobody = { proofKind: ProofKind.UNSPECIFIED, credentialHash: "", act: Act.UNSPECIFIED };
      const unproven = { ...nobody, reservationId: record.reservationId, bundleId: "", delegated: false };
      reporter.happened(DeviceEventType.DOUBT, unproven, compartmentId);
      store.saveCompartment({ ...record, condition: "IN_DOUBT" });
    });
  }

  return {
    look,
    settleAfterGrace,
    clear,
    nextDeadlineMs() {
      // An open door has no deadline: it waits for whoever closes it. One that is seen closed and was never said to be has its own.
      const deadlines = store
        .visits()
        .filter(({ phase, compartmentId }) => phase !== "OPEN" || cabinet.doorState(compartmentId) === "CLOSED");
      return deadlines.length === 0 ? undefined : Math.min(...deadlines.map(({ graceUntilMs }) => graceUntilMs));
    },
  };
}

/** What the sensor shows where an act has come to its end, and what is reported then. */
const outcomes: ReadonlyMap<Act, { occupancy: Occupancy; type: DeviceEventType }> = new Map([
  [Act.DEPOSIT, { occupancy: "OCCUPIED", type: DeviceEventType.PARCEL_DEPOSITED }],
  [Act.COLLECT, { occupancy: "EMPTY", type: DeviceEventType.PARCEL_COLLECTED }],
  [Act.RECALL, { occupancy: "EMPTY", type: DeviceEventType.PARCEL_RECALLED }],
]);

async function reported({ proofKind, credentialId, act, reservationId, bundleId, isDelegated }: Visit): Promise<ReportedCredential> {
  return { proofKind, act, reservationId, bundleId, delegated: isDelegated, credentialHash: await reportedHash(credentialId) };
}
