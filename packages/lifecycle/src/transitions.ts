import { EventType, PetakError, type Reservation, ReservationState } from "@petak/protocol";
import { stateName } from "./state.ts";

/** A row of the table: a transition between two states. */
export interface TransitionRule {
  from: ReservationState;
  to: ReservationState;
  /** The event that records it. */
  event: EventType;
  /** Changes of the counts of held and of occupied places of the reservation's size class. */
  heldChange: -1 | 0 | 1;
  occupiedChange: -1 | 0 | 1;
  /** Its cause, for the published table. */
  cause: string;
}

const S = ReservationState;
const E = EventType;

/** All transitions. `npm run generate` prints the table in docs/protocol.md from it; any other transition is ILLEGAL_STATE. */
export const transitions: readonly TransitionRule[] = [
  rule(S.UNSPECIFIED, S.HELD, E.RESERVATION_HELD, 1, 0, "Reserve or Redirect"),
  rule(S.UNSPECIFIED, S.QUEUED, E.RESERVATION_QUEUED, 0, 0, "Reserve or Redirect: no place is free, and it is to wait"),
  rule(S.QUEUED, S.HELD, E.RESERVATION_PROMOTED, 1, 0, "a place comes free, and it is its turn"),
  rule(S.QUEUED, S.CANCELLED, E.RESERVATION_CANCELLED, 0, 0, "Cancel or Redirect"),
  rule(S.QUEUED, S.REJECTED, E.RESERVATION_REJECTED, 0, 0, "the clock passes `queued_until`"),
  rule(S.HELD, S.CONFIRMED, E.RESERVATION_CONFIRMED, 0, 0, "Confirm"),
  rule(S.HELD, S.CANCELLED, E.RESERVATION_CANCELLED, -1, 0, "Cancel or Redirect"),
  rule(S.HELD, S.EXPIRED, E.RESERVATION_EXPIRED, -1, 0, "the clock passes `hold_expires_at`"),
  rule(S.HELD, S.IN_DOUBT, E.RESERVATION_IN_DOUBT, -1, 1, "the agent reports a deposit that nobody confirmed"),
  rule(S.CONFIRMED, S.CANCELLED, E.RESERVATION_CANCELLED, -1, 0, "Cancel or Redirect"),
  rule(S.CONFIRMED, S.NO_SHOW, E.RESERVATION_NO_SHOW, -1, 0, "the clock passes `deposit_until`"),
  rule(S.CONFIRMED, S.DEPOSITED, E.PARCEL_DEPOSITED, -1, 1, "the agent reports PARCEL_DEPOSITED"),
  rule(
    S.CONFIRMED,
    S.IN_DOUBT,
    E.RESERVATION_IN_DOUBT,
    -1,
    1,
    "the agent reports DOUBT, a collection or recall without a deposit, or a credential that was never issued",
  ),
  rule(S.DEPOSITED, S.COLLECTED, E.PARCEL_COLLECTED, 0, -1, "the agent reports PARCEL_COLLECTED"),
  rule(S.DEPOSITED, S.RECALLED, E.PARCEL_RECALLED, 0, -1, "the agent reports PARCEL_RECALLED"),
  rule(S.DEPOSITED, S.IN_DOUBT, E.RESERVATION_IN_DOUBT, 0, 0, "the agent reports DOUBT, or a credential that was never issued"),
  rule(S.IN_DOUBT, S.COLLECTED, E.PARCEL_COLLECTED, 0, -1, "the agent reports PARCEL_COLLECTED, or ResolveDoubt"),
  rule(S.IN_DOUBT, S.RECALLED, E.PARCEL_RECALLED, 0, -1, "the agent reports PARCEL_RECALLED, or ResolveDoubt"),
  rule(S.IN_DOUBT, S.NO_SHOW, E.RESERVATION_NO_SHOW, 0, -1, "ResolveDoubt: there never was a parcel"),
  rule(S.EXPIRED, S.IN_DOUBT, E.RESERVATION_IN_DOUBT, 0, 1, "the agent reports a deposit that came too late"),
  rule(S.CANCELLED, S.IN_DOUBT, E.RESERVATION_IN_DOUBT, 0, 1, "the agent reports a deposit that came too late"),
  rule(S.NO_SHOW, S.DEPOSITED, E.PARCEL_DEPOSITED, 0, 1, "the agent reports late a deposit that came in time"),
  rule(S.NO_SHOW, S.IN_DOUBT, E.RESERVATION_IN_DOUBT, 0, 1, "the agent reports a deposit that came too late"),
];

/** The transition between two states; undefined if there is none. */
export function findTransition(from: ReservationState, to: ReservationState): TransitionRule | undefined {
  return transitions.find((candidate) => candidate.from === from && candidate.to === to);
}

/**
 * The transition from a reservation's state to another.
 *
 * @throws {PetakError} ILLEGAL_STATE if there is none.
 */
export function requireTransition(before: Reservation, to: ReservationState): TransitionRule {
  const found = findTransition(before.state, to);
  if (found === undefined) throw illegalState(before, to);
  return found;
}

/**
 * An ILLEGAL_STATE error that names both states, or the one if they are the same.
 *
 * @param why appended to the message. Default: where the reservation was redirected to, if it was
 */
export function illegalState({ reservationId, state, redirectedTo }: Reservation, to: ReservationState, why?: string): PetakError {
  const reason = why ?? (redirectedTo === "" ? "" : `: it was redirected to ${redirectedTo}`);
  const refused = state !== to ? ` and cannot become ${stateName(to)}` : reason === "" ? " already" : "";
  return new PetakError("ILLEGAL_STATE", `reservation ${reservationId} is ${stateName(state)}${refused}${reason}`, {
    metadata: { reservation_id: reservationId, subject: reservationId, state: stateName(state), wanted: stateName(to) },
  });
}

function rule(
  from: ReservationState,
  to: ReservationState,
  event: EventType,
  heldChange: -1 | 0 | 1,
  occupiedChange: -1 | 0 | 1,
  cause: string,
): TransitionRule {
  return { from, to, event, heldChange, occupiedChange, cause };
}
