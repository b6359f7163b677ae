import { type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import { type Reservation, ReservationState } from "@petak/protocol";
import { illegalState } from "./transitions.ts";

const S = ReservationState;

/** The deadline of a state, and the state that follows when it passes. */
export interface Deadline {
  field: "queuedUntil" | "holdExpiresAt" | "depositUntil" | "collectUntil";
  /** The field's name in the protocol. */
  name: "queued_until" | "hold_expires_at" | "deposit_until" | "collect_until";
  /** The state that follows. Undefined: the parcel stays inside and is overdue. */
  next: ReservationState | undefined;
}

/** The deadlines by state. In states without one, the clock changes nothing. */
export const deadlines: ReadonlyMap<ReservationState, Deadline> = new Map([
  [S.QUEUED, { field: "queuedUntil", name: "queued_until", next: S.REJECTED }],
  [S.HELD, { field: "holdExpiresAt", name: "hold_expires_at", next: S.EXPIRED }],
  [S.CONFIRMED, { field: "depositUntil", name: "deposit_until", next: S.NO_SHOW }],
  [S.DEPOSITED, { field: "collectUntil", name: "collect_until", next: undefined }],
]);

/** The time of the deadline in force; undefined if the reservation's state has none. */
export function limitInForce(reservation: Reservation): Timestamp | undefined {
  const deadline = deadlines.get(reservation.state);
  return deadline && reservation[deadline.field];
}

/**
 * Whether the parcel of a reservation is overdue: it is inside, and it has been recorded that its deadline passed. The only definition of overdue: the event
 * PARCEL_OVERDUE, the index of overdue reservations, `ListReservations` and all screens use it. An extension, a collection, a recall or a doubt ends it.
 */
export function isOverdue({ state, overdueSince }: Reservation): boolean {
  return state === S.DEPOSITED && overdueSince !== undefined;
}

/** When the clock next changes a reservation, in ms since 1970; null: never, e.g. if it is already overdue. */
export function deadlineMsOf(reservation: Reservation): number | null {
  const limit = isOverdue(reservation) ? undefined : limitInForce(reservation);
  return limit === undefined ? null : timestampMs(limit);
}

/** Whether the deadline in force has passed and this is not recorded yet. Several gateways may notice; one of them records it. */
export function isDue(reservation: Reservation, atMs: number): boolean {
  const deadlineMs = deadlineMsOf(reservation);
  return deadlineMs !== null && deadlineMs <= atMs;
}

/** The state of a reservation at a time, in ms. A passed deadline takes effect at once, even if it is not recorded yet. */
export function stateAt(reservation: Reservation, atMs: number): ReservationState {
  const { state } = reservation;
  return isDue(reservation, atMs) ? (deadlines.get(state)?.next ?? state) : state;
}

/**
 * Throws if the deadline of a reservation has passed and ends its state, even if that is not recorded yet.
 *
 * @param to the requested state
 * @throws {PetakError} ILLEGAL_STATE, which names the state after the deadline.
 */
export function refusePassed(before: Reservation, atMs: number, to: ReservationState): void {
  const state = stateAt(before, atMs);
  if (state !== before.state) throw illegalState({ ...before, state }, to);
}
