import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type Event,
  EventSchema,
  EventType,
  HoldKind,
  newEventId,
  ParcelSchema,
  type Party,
  PartyKind,
  PartySchema,
  Purpose,
  parseReservationId,
  type Reservation,
  ReservationSchema,
  ReservationState,
} from "@petak/protocol";
import type { HoldRequest } from "@petak/records";
import { parcel } from "../network/network.ts";
import { type Order, orderFingerprint } from "./orders.ts";

const parcelMessage = create(ParcelSchema, parcel);
const consumer = create(PartySchema, { kind: PartyKind.CONSUMER });

/** The hold as the gateway requests it, with the complete reservation and event, made as the gateway makes them. */
export function holdRequest(order: Order, homeRegion: string): HoldRequest {
  const reservation = heldReservation(order);
  return {
    participantId: order.participantId,
    requestId: order.requestId,
    fingerprint: orderFingerprint(order),
    isBound: false,
    homeRegion,
    reservation,
    deadlineMs: order.untilMs,
    event: (reservationId) => heldEvent(order, reservation, reservationId),
  };
}

function heldReservation(order: Order): Reservation {
  const reservation = create(ReservationSchema);
  reservation.participantId = order.participantId;
  reservation.state = ReservationState.HELD;
  reservation.purpose = Purpose.DELIVERY;
  reservation.parcel = parcelMessage;
  reservation.depositor = participantOf(order);
  reservation.collector = consumer;
  reservation.partnerReference = order.partnerReference;
  reservation.isTest = true;
  reservation.holdKind = HoldKind.SOFT;
  reservation.revision = 1;
  reservation.createdAt = timestampFromMs(order.atMs);
  reservation.updatedAt = reservation.createdAt;
  reservation.holdExpiresAt = timestampFromMs(order.untilMs);
  return reservation;
}

function heldEvent(order: Order, reservation: Reservation, reservationId: string): Event {
  const event = create(EventSchema);
  event.eventId = newEventId(parseReservationId(reservationId)?.region ?? "");
  event.schemaVersion = 1;
  event.type = EventType.RESERVATION_HELD;
  event.reservationId = reservationId;
  event.participantId = order.participantId;
  event.actor = participantOf(order);
  event.occurredAt = timestampFromMs(order.atMs);
  event.recordedAt = event.occurredAt;
  event.stateAfter = ReservationState.HELD;
  event.partnerReference = order.partnerReference;
  event.isTest = true;
  event.reservationRevision = reservation.revision;
  return event;
}

function participantOf({ participantId }: Order): Party {
  return { $typeName: PartySchema.typeName, kind: PartyKind.PARTICIPANT, participantId };
}
