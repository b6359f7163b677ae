import { ReservationState } from "@petak/protocol";

const S = ReservationState;

/**
 * States in which a reservation has ended. What a site reports late may still be recorded about it, or put it in doubt; nobody waits for anything
 * more.
 */
export const endedStates: ReadonlySet<ReservationState> = new Set([S.EXPIRED, S.CANCELLED, S.NO_SHOW, S.COLLECTED, S.RECALLED, S.REJECTED]);
