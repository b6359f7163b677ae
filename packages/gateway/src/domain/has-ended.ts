import { type Reservation, ReservationState } from "@petak/protocol";

const S = ReservationState;

const endedStates: ReadonlySet<ReservationState> = new Set([S.EXPIRED, S.CANCELLED, S.NO_SHOW, S.COLLECTED, S.RECALLED, S.REJECTED]);

/**
 * Whether a reservation has ended. What a site reports late may still be recorded about it, or put it in doubt; nobody waits for anything
 * more.
 */
export function hasEnded({ state }: Pick<Reservation, "state">): boolean {
  return endedStates.has(state);
}
