import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  CancellationReason,
  compileBlank,
  type Event,
  EventSchema,
  EventType,
  newEventId,
  PartySchema,
  ProofSchema,
  parseReservationId,
  type Reservation,
  type ReservationState,
} from "@petak/protocol";

const blankEvent = compileBlank(EventSchema);

/** The version of the event layout that this gateway writes. */
export const eventSchemaVersion = 1;

/** What is particular about an event; the rest follows from its reservation. */
export interface EventFacts {
  type: EventType;
  /** The reservation after the event. */
  reservation: Reservation;
  /** Its id, where `reservation` does not have it yet. */
  reservationId?: string;
  /** Default: the state of `reservation`, since most of what happens moves nothing. */
  stateBefore?: ReservationState;
  actor: MessageInitShape<typeof PartySchema>;
  /** When it happened, in ms, by the clock of where it happened. */
  occurredAtMs: number;
  /** When the gateway records it, in ms. Default: when it happened, since most of it happens here. */
  recordedAtMs?: number;
  proof?: MessageInitShape<typeof ProofSchema>;
  cancellationReason?: CancellationReason | undefined;
  /** The reservation that takes the place of this one, or whose place this one takes. */
  relatedReservationId?: string;
  /** The bundle, where the event is about one or the credential was one's. */
  bundleId?: string;
  /** Whether it says what is due after it. */
  statesFee?: boolean;
}

/** An event about a reservation. */
export function reservationEvent(facts: EventFacts): Event {
  const { reservation } = facts;
  const { reservationId = reservation.reservationId, stateBefore = reservation.state, recordedAtMs = facts.occurredAtMs } = facts;
  const event = blankEvent();
  event.eventId = newEventId(parseReservationId(reservationId)?.region ?? "");
  event.schemaVersion = eventSchemaVersion;
  event.type = facts.type;
  event.reservationId = reservationId;
  event.siteId = reservation.siteId;
  event.operatorId = reservation.operatorId;
  event.participantId = reservation.participantId;
  event.actor = create(PartySchema, facts.actor);
  event.occurredAt = timestampFromMs(facts.occurredAtMs);
  event.recordedAt = recordedAtMs === facts.occurredAtMs ? event.occurredAt : timestampFromMs(recordedAtMs);
  event.stateBefore = stateBefore;
  event.stateAfter = reservation.state;
  if (facts.proof !== undefined) event.proof = create(ProofSchema, facts.proof);
  event.partnerReference = reservation.partnerReference;
  event.isTest = reservation.isTest;
  event.reservationRevision = reservation.revision;
  event.cancellationReason = facts.cancellationReason ?? CancellationReason.UNSPECIFIED;
  event.relatedReservationId = facts.relatedReservationId ?? "";
  event.bundleId = facts.bundleId ?? "";
  if (facts.type === EventType.RESERVATION_REJECTED) event.overflowEnd = reservation.overflowEnd;
  if (facts.statesFee === true && reservation.feeDue !== undefined) event.feeDue = reservation.feeDue;
  return event;
}
