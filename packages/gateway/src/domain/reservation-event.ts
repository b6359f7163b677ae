import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type CancellationReason,
  type Event,
  EventSchema,
  type EventType,
  newEventId,
  type PartySchema,
  type ProofSchema,
  parseReservationId,
  type Reservation,
  type ReservationState,
} from "@petak/protocol";

/** The version of the event layout that this gateway writes. */
export const eventSchemaVersion = 1;

/** What is particular about an event; the rest follows from its reservation. */
export interface EventFacts {
  type: EventType;
  /** The reservation after the event. */
  reservation: Reservation;
  stateBefore: ReservationState;
  actor: MessageInitShape<typeof PartySchema>;
  /** When it happened, in ms, by the clock of where it happened. */
  occurredAtMs: number;
  /** When the gateway records it, in ms. */
  recordedAtMs: number;
  proof?: MessageInitShape<typeof ProofSchema>;
  cancellationReason?: CancellationReason;
}

/** An event about a reservation. */
export function reservationEvent(facts: EventFacts): Event {
  const { reservation } = facts;
  return create(EventSchema, {
    eventId: newEventId(parseReservationId(reservation.reservationId)?.region ?? ""),
    schemaVersion: eventSchemaVersion,
    type: facts.type,
    reservationId: reservation.reservationId,
    siteId: reservation.siteId,
    operatorId: reservation.operatorId,
    participantId: reservation.participantId,
    actor: facts.actor,
    occurredAt: timestampFromMs(facts.occurredAtMs),
    recordedAt: timestampFromMs(facts.recordedAtMs),
    stateBefore: facts.stateBefore,
    stateAfter: reservation.state,
    proof: facts.proof,
    partnerReference: reservation.partnerReference,
    isTest: reservation.isTest,
    reservationRevision: reservation.revision,
    cancellationReason: facts.cancellationReason ?? 0,
  });
}
