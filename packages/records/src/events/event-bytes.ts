import { fromBinary } from "@bufbuild/protobuf";
import { type Event, EventSchema, PartyKind, parseReservationId } from "@petak/protocol";
import { storedBytes } from "../bytes/stored-bytes.ts";
import { longId, shortId } from "../ids/short-id.ts";

/**
 * Bytes of an event in a region's stream, without what follows from the rest: the second naming of the participant where it acted itself, the
 * time of the record where it is that of the event, and the region in its ids after that of the reservation has named it.
 */
export function encodeEvent(event: Event): Buffer {
  const { actor, participantId, occurredAt, recordedAt } = event;
  const stored = { ...event };
  if (actor !== undefined && actor.kind === PartyKind.PARTICIPANT && actor.participantId === participantId) {
    stored.actor = { ...actor, participantId: "" };
  }
  if (occurredAt !== undefined && occurredAt.seconds === recordedAt?.seconds && occurredAt.nanos === recordedAt.nanos) {
    stored.recordedAt = undefined;
  }
  const region = parseReservationId(event.reservationId)?.region;
  if (region !== undefined) {
    stored.eventId = shortId("evt", region, event.eventId);
    stored.siteId = shortId("site", region, event.siteId);
  }
  return storedBytes(EventSchema, stored);
}

/** Reads what {@link encodeEvent} wrote. */
export function decodeEvent(bytes: Uint8Array): Event {
  const event = fromBinary(EventSchema, bytes);
  const { actor, participantId } = event;
  if (actor?.kind === PartyKind.PARTICIPANT && actor.participantId === "") actor.participantId = participantId;
  const region = parseReservationId(event.reservationId)?.region;
  if (region !== undefined) {
    event.eventId = longId("evt", region, event.eventId);
    event.siteId = longId("site", region, event.siteId);
  }
  if (event.recordedAt === undefined && event.occurredAt !== undefined) event.recordedAt = event.occurredAt;
  return event;
}
