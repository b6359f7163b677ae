import { type Reservation, ReservationState } from "@petak/protocol";

const S = ReservationState;

const endedStates: ReadonlySet<ReservationState> = new Set([S.EXPIRED, S.CANCELLED, S.NO_SHOW, S.COLLECTED, S.RECALLED, S.REJECTED]);

/** The name of a state in the protocol, e.g. `HELD`. */
export function stateName(state: ReservationState): string {
  return Object.entries(ReservationState).find(([, value]) => value === state)?.[0] ?? String(state);
}

/** Whether a reservation has ended. Only a late report of its site can still change it. */
export function hasEnded({ state }: Pick<Reservation, "state">): boolean {
  return endedStates.has(state);
}

/**
 * Whether no credential for a reservation opens a door any more: it has ended, or it is in doubt until its operator has looked. A credential that was
 * issued before may still be presented.
 */
export function isAccessClosed(reservation: Pick<Reservation, "state">): boolean {
  return hasEnded(reservation) || reservation.state === S.IN_DOUBT;
}

/** Whether a change takes a reservation out of the queue. */
export function leavesQueue(before: Reservation, after: Reservation | undefined): boolean {
  return before.state === S.QUEUED && after !== undefined && after.state !== S.QUEUED;
}

/**
 * The compartment that a reservation takes by name, so that it is not promised to a hard hold; empty: none. Before the deposit it is the one promised to its own
 * hard hold, afterwards the one where the agent reported the parcel.
 */
export function namedCompartment({ state, compartmentId, heldCompartmentId }: Reservation): string {
  switch (state) {
    case S.HELD:
    case S.CONFIRMED:
      return heldCompartmentId;
    case S.DEPOSITED:
    case S.IN_DOUBT:
      return compartmentId === "" ? heldCompartmentId : compartmentId;
    default:
      return "";
  }
}
