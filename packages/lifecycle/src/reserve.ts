import { create, equals } from "@bufbuild/protobuf";
import { durationMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type Event,
  EventType,
  HoldKind,
  type Party,
  Purpose,
  type Reservation,
  ReservationSchema,
  ReservationState,
  type ReserveRequest,
  type SiteRequirements,
  SiteRequirementsSchema,
} from "@petak/protocol";
import { reservationEvent } from "./events.ts";
import { consumerParty, participantParty } from "./parties.ts";

/** Durations of holds, in ms. */
export interface HoldLimits {
  /** Default duration. */
  holdDefaultMs: number;
  /** Longest duration, from when the hold was taken. */
  holdMaxMs: number;
}

export interface HoldFacts {
  /** The participant that makes the reservation. */
  participantId: string;
  isTest: boolean;
  /** Duration of the hold, in ms. */
  holdMs: number;
}

/** Facts of the first event of a reservation. */
export interface MadeFacts {
  actor: Party;
  /** The reservation that it replaces in a redirect. */
  relatedReservationId?: string | undefined;
}

/** Duration of the hold that a request gets, in ms. */
export function holdMsOf({ holdDuration }: ReserveRequest, { holdDefaultMs, holdMaxMs }: HoldLimits): number {
  return Math.min(holdDuration === undefined ? holdDefaultMs : durationMs(holdDuration), holdMaxMs);
}

/**
 * The held reservation of a request, without the fields that depend on the place: id, site, operator, size class, terms and held compartment.
 */
export function heldReservation(request: ReserveRequest, { participantId, isTest, holdMs }: HoldFacts, atMs: number): Reservation {
  const participant = participantParty({ participantId });
  const isDelivery = request.purpose === Purpose.UNSPECIFIED || request.purpose === Purpose.DELIVERY;
  const reservation = create(ReservationSchema);
  reservation.participantId = participantId;
  reservation.state = ReservationState.HELD;
  reservation.purpose = request.purpose === Purpose.UNSPECIFIED ? Purpose.DELIVERY : request.purpose;
  if (request.parcel !== undefined) reservation.parcel = request.parcel;
  reservation.depositor = isDelivery ? participant : consumerParty;
  reservation.collector = isDelivery ? consumerParty : participant;
  reservation.partnerReference = request.partnerReference;
  reservation.isTest = isTest;
  reservation.holdKind = request.holdKind === HoldKind.UNSPECIFIED ? HoldKind.SOFT : request.holdKind;
  reservation.revision = 1;
  reservation.createdAt = timestampFromMs(atMs);
  reservation.updatedAt = reservation.createdAt;
  reservation.holdExpiresAt = timestampFromMs(atMs + holdMs);
  if (request.requirements !== undefined) reservation.requirements = keptRequirements(request.requirements);
  if (request.overflowPolicy !== undefined) {
    reservation.overflowPolicy = request.overflowPolicy;
    reservation.wantedSiteId = request.place.case === "siteId" ? request.place.value : "";
  }
  return reservation;
}

const noRequirements = create(SiteRequirementsSchema);

/** What is kept of a request's requirements on its site: everything but countries, which a site does not change. Undefined: that is nothing. */
export function keptRequirements(requirements: SiteRequirements): SiteRequirements | undefined {
  const kept = { ...requirements, countryCodes: [], anyCountry: false };
  return equals(SiteRequirementsSchema, kept, noRequirements) ? undefined : kept;
}

/** The event of a hold. @param reservation may lack id, site and operator */
export function heldEvent(
  reservation: Reservation,
  reservationId: string,
  { actor, relatedReservationId }: MadeFacts,
  atMs: number,
): Event {
  return reservationEvent({
    type: EventType.RESERVATION_HELD,
    reservation,
    reservationId,
    stateBefore: ReservationState.UNSPECIFIED,
    actor,
    occurredAtMs: atMs,
    ...(relatedReservationId === undefined ? {} : { relatedReservationId }),
  });
}
