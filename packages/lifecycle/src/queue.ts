import { type Duration, type Timestamp, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Event, EventType, type Reservation, ReservationState } from "@petak/protocol";
import { reservationEvent } from "./events.ts";
import { gatewayParty } from "./parties.ts";
import type { MadeFacts } from "./reserve.ts";
import { type Transition, transitionTo } from "./transition.ts";

/** The end of a wait. @param fromMs its begin, in ms since 1970 */
export function waitUntil({ seconds, nanos }: Pick<Duration, "seconds" | "nanos">, fromMs: number): Timestamp {
  return timestampFromMs(fromMs + Number(seconds) * 1000 + Math.floor(nanos / 1_000_000));
}

/** The rank in a queue: when the wait began, in µs since 1970. The lowest rank is served first. */
export function waitingRank({ seconds, nanos }: Timestamp): number {
  return Number(seconds) * 1_000_000 + Math.floor(nanos / 1000);
}

/** Turns a new held reservation into a queued one. @param held from {@link heldReservation} */
export function queuedReservation(held: Reservation, until: Timestamp): Reservation {
  const { holdExpiresAt: _holdExpiresAt, ...kept } = held;
  return { ...kept, state: ReservationState.QUEUED, queuedUntil: until };
}

/** The event of a reservation that is queued. */
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

/** The place that a queued reservation gets. */
export interface PromotionFacts extends Pick<Reservation, "siteId" | "operatorId" | "sizeClassId" | "termsId"> {
  /** The promised compartment; empty for a soft hold. */
  heldCompartmentId: string;
  /** How long the place is held, in ms. */
  holdMs: number;
}

/**
 * Promotes a queued reservation to a place that has become free. A store that promotes in its own script must write the same.
 *
 * @throws {PetakError} ILLEGAL_STATE if it is not queued.
 */
export function promote(before: Reservation, { holdMs, ...place }: PromotionFacts, atMs: number): Transition {
  const change = { ...place, state: ReservationState.HELD, holdExpiresAt: timestampFromMs(atMs + holdMs) };
  const isAllowed = place.heldCompartmentId === "" ? {} : { isAllowed: true };
  return { ...transitionTo(before, change, { actor: gatewayParty }, atMs), ...isAllowed };
}

/**
 * A prepared event of a later promotion, without site, operator, times and revision, which are known only when a place becomes free.
 *
 * @param held the reservation as it would have been held when it was queued
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
