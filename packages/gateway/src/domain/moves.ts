import { EventType, ReservationState } from "@petak/protocol";

/** One move of a reservation from state to state. */
export interface Move {
  from: ReservationState;
  to: ReservationState;
  /** The event that records it. */
  event: EventType;
  /** What it takes from, or gives back to, the places held and the places occupied of its size class. */
  heldChange: -1 | 0 | 1;
  occupiedChange: -1 | 0 | 1;
  /** What makes it happen, for the published table. */
  cause: string;
}

const S = ReservationState;
const E = EventType;

/** Every move there is. The table in docs/protocol.md is printed from it; any other move is ILLEGAL_STATE. */
export const moves: readonly Move[] = [
  move(S.UNSPECIFIED, S.HELD, E.RESERVATION_HELD, 1, 0, "Reserve or Redirect"),
  move(S.UNSPECIFIED, S.QUEUED, E.RESERVATION_QUEUED, 0, 0, "Reserve or Redirect: no place is free, and it is to wait"),
  move(S.QUEUED, S.HELD, E.RESERVATION_PROMOTED, 1, 0, "a place comes free, and it is its turn"),
  move(S.QUEUED, S.CANCELLED, E.RESERVATION_CANCELLED, 0, 0, "Cancel or Redirect"),
  move(S.QUEUED, S.REJECTED, E.RESERVATION_REJECTED, 0, 0, "the clock passes `queued_until`"),
  move(S.HELD, S.CONFIRMED, E.RESERVATION_CONFIRMED, 0, 0, "Confirm"),
  move(S.HELD, S.CANCELLED, E.RESERVATION_CANCELLED, -1, 0, "Cancel or Redirect"),
  move(S.HELD, S.EXPIRED, E.RESERVATION_EXPIRED, -1, 0, "the clock passes `hold_expires_at`"),
  move(S.HELD, S.IN_DOUBT, E.RESERVATION_IN_DOUBT, -1, 1, "the agent reports a deposit that nobody confirmed"),
  move(S.CONFIRMED, S.CANCELLED, E.RESERVATION_CANCELLED, -1, 0, "Cancel or Redirect"),
  move(S.CONFIRMED, S.NO_SHOW, E.RESERVATION_NO_SHOW, -1, 0, "the clock passes `deposit_until`"),
  move(S.CONFIRMED, S.DEPOSITED, E.PARCEL_DEPOSITED, -1, 1, "the agent reports PARCEL_DEPOSITED"),
  move(S.CONFIRMED, S.IN_DOUBT, E.RESERVATION_IN_DOUBT, -1, 1, "the agent reports DOUBT, or a collection or recall without a deposit"),
  move(S.DEPOSITED, S.COLLECTED, E.PARCEL_COLLECTED, 0, -1, "the agent reports PARCEL_COLLECTED"),
  move(S.DEPOSITED, S.RECALLED, E.PARCEL_RECALLED, 0, -1, "the agent reports PARCEL_RECALLED"),
  move(S.DEPOSITED, S.IN_DOUBT, E.RESERVATION_IN_DOUBT, 0, 0, "the agent reports DOUBT"),
  move(S.IN_DOUBT, S.COLLECTED, E.PARCEL_COLLECTED, 0, -1, "the agent reports PARCEL_COLLECTED, or ResolveDoubt"),
  move(S.IN_DOUBT, S.RECALLED, E.PARCEL_RECALLED, 0, -1, "the agent reports PARCEL_RECALLED, or ResolveDoubt"),
  move(S.IN_DOUBT, S.NO_SHOW, E.RESERVATION_NO_SHOW, 0, -1, "ResolveDoubt: there never was a parcel"),
  move(S.EXPIRED, S.IN_DOUBT, E.RESERVATION_IN_DOUBT, 0, 1, "the agent reports a deposit that came too late"),
  move(S.CANCELLED, S.IN_DOUBT, E.RESERVATION_IN_DOUBT, 0, 1, "the agent reports a deposit that came too late"),
  move(S.NO_SHOW, S.DEPOSITED, E.PARCEL_DEPOSITED, 0, 1, "the agent reports late a deposit that came in time"),
  move(S.NO_SHOW, S.IN_DOUBT, E.RESERVATION_IN_DOUBT, 0, 1, "the agent reports a deposit that came too late"),
];

/** The move between two states, or undefined where there is none. */
export function findMove(from: ReservationState, to: ReservationState): Move | undefined {
  return moves.find((candidate) => candidate.from === from && candidate.to === to);
}

/** A state's name as the protocol spells it, e.g. `HELD`. */
export function stateName(state: ReservationState): string {
  return Object.entries(ReservationState).find(([, value]) => value === state)?.[0] ?? String(state);
}

function move(
  from: ReservationState,
  to: ReservationState,
  event: EventType,
  heldChange: -1 | 0 | 1,
  occupiedChange: -1 | 0 | 1,
  cause: string,
): Move {
  return { from, to, event, heldChange, occupiedChange, cause };
}
