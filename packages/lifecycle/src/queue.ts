import { type Duration, type Timestamp, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Event, EventType, type Reservation, ReservationState } from "@petak/protocol";
import { reservationEvent } from "./events.ts";
import { gatewayParty } from "./parties.ts";
import type { MadeFacts } from "./reserve.ts";
import { type Transition, transitionTo } from "./transition.ts";

/** The end of a wait that begins at a time in ms. */
export function waitUntil({ seconds, nanos }: Pick<Duration, "seconds" | "nanos">, fromMs: number): Timestamp {
  return timestampFromMs(fromMs + Number(seconds) * 1000 + Math.floor(nanos / 1_000_000));
}

/** The rank of a reservation that came to wait at a time, in µs since 1970: whoever came first has the least. */
export function waitingRank({ seconds, nanos }: Timestamp): number {
  return Number(seconds) * 1_000_000 + Math.floor(nanos / 1000);
}

/** A reservation that waits in place of being held. @param held as {@link heldReservation} makes it */
export function queuedReservation(held: Reservation, until: Timestamp): Reservation {
  const { holdExpiresAt: _holdExpiresAt, ...kept } = held;
  return { ...kept, state: ReservationState.QUEUED, queuedUntil: until };
}

/** The event of a reservation that comes to wait. */
export function queuedEvent(queued: Reservation, { actor, relatedReservationId }: MadeFacts, atMs: number): Event {
  return reservationEvent({
    type: EventType.RESERVATION_QUEUED,
    reservation: queued,
    stateBefore: ReservationState.UNSPECIFIED,
    actor,
    occurredAtMs: atMs,
    ...(relatedReservationId === undefined ? {} : { relatedReservationId }),
  });
}

/** The place that a waiting reservation gets. */
export interface PromotionFacts extends Pick<Reservation, "siteId" | "operatorId" | "sizeClassId" | "termsId"> {
  /** The compartment that is promised; empty where the hold is soft. */
  heldCompartmentId: string;
  /** How long the place is held, in ms. */
  holdMs: number;
}

/**
 * Gives a waiting reservation the place that came free. A store that does so in the step that frees the place writes the same.
 *
 * @throws {PetakError} ILLEGAL_STATE where it does not wait.
 */
export function promote(before: Reservation, { holdMs, ...place }: PromotionFacts, atMs: number): Transition {
  const change = { ...place, state: ReservationState.HELD, holdExpiresAt: timestampFromMs(atMs + holdMs) };
  const isAllowed = place.heldCompartmentId === "" ? {} : { isAllowed: true };
  return { ...transitionTo(before, change, { actor: gatewayParty }, atMs), ...isAllowed };
}

/**
 * The event of a promotion, made in advance: without the site, the operator, the times and the revision, which are known where the place comes free.
 *
 * @param held the reservation as it would have been held when it came to wait
 */
export function promotedEvent(held: Reservation, reservationId: string, atMs: number): Event {
  const {
    occurredAt: _occurredAt,
    recordedAt: _recordedAt,
    ...event
  } = reservationEvent({
    type: EventType.RESERVATION_PROMOTED,
    reservation: { ...held, siteId: "", operatorId: "", revision: 0 },
    reservationId,
    stateBefore: ReservationState.QUEUED,
    actor: gatewayParty,
    occurredAtMs: atMs,
  });
  return event;
}
