import { type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import { type Reservation, ReservationState } from "@petak/protocol";
import { illegalState } from "./transitions.ts";

const S = ReservationState;

/** The limit in force in a state, and what follows when it passes. */
export interface Deadline {
  field: "queuedUntil" | "holdExpiresAt" | "depositUntil" | "collectUntil";
  /** The field as the protocol spells it. */
  name: "queued_until" | "hold_expires_at" | "deposit_until" | "collect_until";
  /** The state that follows. Undefined: the parcel stays inside, and is overdue. */
  next: ReservationState | undefined;
}

/** The deadlines of the states that have one: in any other state the clock changes nothing. */
export const deadlines: ReadonlyMap<ReservationState, Deadline> = new Map([
  [S.QUEUED, { field: "queuedUntil", name: "queued_until", next: S.REJECTED }],
  [S.HELD, { field: "holdExpiresAt", name: "hold_expires_at", next: S.EXPIRED }],
  [S.CONFIRMED, { field: "depositUntil", name: "deposit_until", next: S.NO_SHOW }],
  [S.DEPOSITED, { field: "collectUntil", name: "collect_until", next: undefined }],
]);

/** The limit in force, as it stands in the reservation; undefined where its state has none. */
export function limitInForce(reservation: Reservation): Timestamp | undefined {
  const deadline = deadlines.get(reservation.state);
  return deadline && reservation[deadline.field];
}

/**
 * Whether the parcel of a reservation is overdue: it lies inside, and the record says since when its limit has passed. The event PARCEL_OVERDUE, the
 * index of overdue reservations, `ListReservations` and whoever shows reservations go by this alone. Extend, a collection, a recall and a doubt end it.
 */
export function isOverdue({ state, overdueSince }: Reservation): boolean {
  return state === S.DEPOSITED && overdueSince !== undefined;
}

/** When the clock next changes a reservation, in ms; null where it does not, as when it is overdue already. */
export function deadlineMsOf(reservation: Reservation): number | null {
  const limit = isOverdue(reservation) ? undefined : limitInForce(reservation);
  return limit === undefined ? null : timestampMs(limit);
}

/** Whether the clock has passed the limit in force, and that is not recorded yet. Of several gateways that find it so, one records it. */
export function isDue(reservation: Reservation, atMs: number): boolean {
  const deadlineMs = deadlineMsOf(reservation);
  return deadlineMs !== null && deadlineMs <= atMs;
}

/** The state of a reservation at a time, in ms, also where it is not recorded yet that the clock has passed a limit: what the limit says holds at once. */
export function stateAt(reservation: Reservation, atMs: number): ReservationState {
  const { state } = reservation;
  return isDue(reservation, atMs) ? (deadlines.get(state)?.next ?? state) : state;
}

/**
 * Refuses a change of a reservation whose wait, hold or time for the deposit has passed, whether or not that is recorded.
 *
 * @param to the state that was asked for
 * @throws {PetakError} ILLEGAL_STATE, which names the state that follows from the limit.
 */
export function refusePassed(before: Reservation, atMs: number, to: ReservationState): void {
  const state = stateAt(before, atMs);
  if (state !== before.state) throw illegalState({ ...before, state }, to);
}
