import { fromBinary } from "@bufbuild/protobuf";
import { type Event, EventSchema, PartyKind, parseReservationId, type Region } from "@petak/protocol";
import { currentTrace, type SiteIds } from "@petak/redis";
import { storedBytes } from "./stored-bytes.ts";

/** An event id without the prefix that names the region. */
const shortIdPattern = /^[0-9a-hjkmnp-tv-z]{16}$/;

/**
 * Encodes an event for a region's stream. Left out is what {@link decodeEvent} derives from other fields: the actor's id if it is the participant's, the
 * time of recording if it is the time of the event, and the region in ids if the reservation's id names it.
 *
 * @param traceparent see {@link Event}
 */
export function encodeEvent(event: Event, siteIds: SiteIds, traceparent = event.traceparent): Buffer {
  const { actor, participantId, occurredAt, recordedAt } = event;
  const stored = { ...event, traceparent };
  if (actor !== undefined && actor.kind === PartyKind.PARTICIPANT && actor.participantId === participantId) {
    stored.actor = { ...actor, participantId: "" };
  }
  if (occurredAt !== undefined && occurredAt.seconds === recordedAt?.seconds && occurredAt.nanos === recordedAt.nanos) {
    stored.recordedAt = undefined;
  }
  const region = parseReservationId(event.reservationId)?.region;
  if (region !== undefined) stored.eventId = withoutPrefix(event.eventId, eventPrefix(region));
  stored.siteId = siteIds.shorten(event.siteId, region);
  return storedBytes(EventSchema, stored);
}

/** Encodes an event that the current call causes: {@link encodeEvent}, with the call's trace. */
export function encodeCausedEvent(event: Event, siteIds: SiteIds): Buffer {
  return encodeEvent(event, siteIds, currentTrace()?.traceparent);
}

/** Decodes an event of a region's stream. */
export function decodeEvent(bytes: Uint8Array, siteIds: SiteIds): Event {
  const event = fromBinary(EventSchema, bytes);
  const { actor, participantId } = event;
  if (actor?.kind === PartyKind.PARTICIPANT && actor.participantId === "") actor.participantId = participantId;
  const region = parseReservationId(event.reservationId)?.region;
  if (region !== undefined && shortIdPattern.test(event.eventId)) event.eventId = eventPrefix(region) + event.eventId;
  event.siteId = siteIds.lengthen(event.siteId, region);
  if (event.recordedAt === undefined && event.occurredAt !== undefined) event.recordedAt = event.occurredAt;
  return event;
}

function eventPrefix(region: Region): string {
  return `evt_${region}_`;
}

function withoutPrefix(text: string, prefix: string): string {
  return text.startsWith(prefix) ? text.slice(prefix.length) : text;
}
