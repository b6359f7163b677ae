import { type Timestamp, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { PetakError, type Reservation, ReservationState } from "@petak/protocol";
import type { Transition } from "@petak/records";
import { findMove, stateName } from "./moves.ts";
import { type EventFacts, reservationEvent } from "./reservation-event.ts";

/** A reservation that has changed at a time, in ms, and may have come to another state by it. */
export function changed(before: Reservation, atMs: number, change: Partial<Reservation>): Reservation {
  return { ...before, ...change, revision: before.revision + 1, updatedAt: timestampFromMs(atMs) };
}

/** Who moves a reservation on, when, in ms, and what its event says beside. */
export interface MoveFacts extends Pick<EventFacts, "actor" | "cancellationReason" | "relatedReservationId"> {
  atMs: number;
}

/** What goes with a move from one state to another: what it takes of the site's places, and its event. Refuses a move that there is not. */
export function moveTo(
  before: Reservation,
  after: Reservation,
  { atMs, ...facts }: MoveFacts,
): Pick<Transition, "after" | "heldChange" | "occupiedChange" | "events"> {
  const move = findMove(before.state, after.state);
  if (move === undefined) throw illegalState(before, after.state);
  return {
    after,
    heldChange: move.heldChange,
    occupiedChange: move.occupiedChange,
    events: [
      reservationEvent({
        ...facts,
        type: move.event,
        reservation: after,
        statesFee: before.feeDue === undefined,
        stateBefore: before.state,
        occurredAtMs: atMs,
      }),
    ],
  };
}

/** Refuses a move that there is not. */
export function refuseMove(before: Reservation, to: ReservationState): void {
  if (findMove(before.state, to) === undefined) throw illegalState(before, to);
}

/** The clock may be past a limit before the sweep has come by: what the limit says holds at once, and the reservation is in `then`. */
export function refusePassed(
  before: Reservation,
  limit: Timestamp | undefined,
  atMs: number,
  then: ReservationState,
  to: ReservationState,
): void {
  if (limit !== undefined && timestampMs(limit) <= atMs) throw illegalState({ ...before, state: then }, to);
}

/** Refuses what a reservation before its deposit does not allow any more, since its hold has ended or its depositor has not come in time. */
export function refuseOver(before: Reservation, atMs: number, to: ReservationState): void {
  if (before.state === ReservationState.QUEUED) refusePassed(before, before.queuedUntil, atMs, ReservationState.REJECTED, to);
  if (before.state === ReservationState.HELD) refusePassed(before, before.holdExpiresAt, atMs, ReservationState.EXPIRED, to);
  if (before.state === ReservationState.CONFIRMED) refusePassed(before, before.depositUntil, atMs, ReservationState.NO_SHOW, to);
}

/** The error for a move that a state does not allow. */
export function illegalState({ reservationId, state }: Reservation, to: ReservationState, why = ""): PetakError {
  return new PetakError("ILLEGAL_STATE", `reservation ${reservationId} is ${stateName(state)} and cannot become ${stateName(to)}${why}`, {
    metadata: { reservation_id: reservationId, subject: reservationId, state: stateName(state), wanted: stateName(to) },
  });
}
