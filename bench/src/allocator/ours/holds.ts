import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { HoldRequest } from "@petak/allocator";
import {
  EventSchema,
  EventType,
  newEventId,
  PartyKind,
  PartySchema,
  Purpose,
  parseReservationId,
  ReservationSchema,
  ReservationState,
} from "@petak/protocol";
import { parcel } from "../network/network.ts";
import { type Order, orderFingerprint } from "./orders.ts";

/** The hold that the gateway would ask for, with all that it writes into the reservation and its event. */
export function holdRequest(order: Order, homeRegion: string): HoldRequest {
  const at = timestampFromMs(order.atMs);
  const participant = create(PartySchema, { kind: PartyKind.PARTICIPANT, participantId: order.participantId });
  const reservation = create(ReservationSchema, {
    participantId: order.participantId,
    state: ReservationState.HELD,
    purpose: Purpose.DELIVERY,
    parcel,
    depositor: participant,
    collector: create(PartySchema, { kind: PartyKind.CONSUMER }),
    partnerReference: order.partnerReference,
    isTest: true,
    revision: 1,
    createdAt: at,
    updatedAt: at,
    holdExpiresAt: timestampFromMs(order.untilMs),
  });
  return {
    participantId: order.participantId,
    requestId: order.requestId,
    fingerprint: orderFingerprint(order),
    isTied: false,
    homeRegion,
    reservation,
    deadlineMs: order.untilMs,
    event: (reservationId) =>
      create(EventSchema, {
        eventId: newEventId(parseReservationId(reservationId)?.region ?? ""),
        schemaVersion: 1,
        type: EventType.RESERVATION_HELD,
        reservationId,
        participantId: order.participantId,
        actor: participant,
        occurredAt: at,
        recordedAt: at,
        stateBefore: ReservationState.UNSPECIFIED,
        stateAfter: ReservationState.HELD,
        partnerReference: order.partnerReference,
        isTest: true,
        reservationRevision: 1,
      }),
  };
}
