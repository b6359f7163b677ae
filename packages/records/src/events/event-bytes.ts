import { fromBinary } from "@bufbuild/protobuf";
import { type Event, EventSchema, PartyKind, parseReservationId, type Region } from "@petak/protocol";
import type { SiteIds } from "@petak/redis";
import { storedBytes } from "../bytes/stored-bytes.ts";

/** What is kept of the id of an event of the region. */
const keptPattern = /^[0-9a-hjkmnp-tv-z]{16}$/;

/**
 * Bytes of an event in a region's stream, without what follows from the rest: the second naming of the participant where it acted itself, the
 * time of the record where it is that of the event, and the region in its ids after that of the reservation has named it.
 */
export function encodeEvent(event: Event, siteIds: SiteIds): Buffer {
  const { actor, participantId, occurredAt, recordedAt } = event;
  const stored = { ...event };
  if (actor !== undefined && actor.kind === PartyKind.PARTICIPANT && actor.participantId === participantId) {
    stored.actor = { ...actor, participantId: "" };
  }
  if (occurredAt !== undefined && occurredAt.seconds === recordedAt?.seconds && occurredAt.nanos === recordedAt.nanos) {
    stored.recordedAt = undefined;
  }
  const region = parseReservationId(event.reservationId)?.region;
  if (region !== undefined) stored.eventId = withoutStart(event.eventId, eventStart(region));
  stored.siteId = siteIds.shorten(event.siteId, region);
  return storedBytes(EventSchema, stored);
}

/** Reads what {@link encodeEvent} wrote. */
export function decodeEvent(bytes: Uint8Array, siteIds: SiteIds): Event {
  const event = fromBinary(EventSchema, bytes);
  const { actor, participantId } = event;
  if (actor?.kind === PartyKind.PARTICIPANT && actor.participantId === "") actor.participantId = participantId;
  const region = parseReservationId(event.reservationId)?.region;
  if (region !== undefined && keptPattern.test(event.eventId)) event.eventId = eventStart(region) + event.eventId;
  event.siteId = siteIds.lengthen(event.siteId, region);
  if (event.recordedAt === undefined && event.occurredAt !== undefined) event.recordedAt = event.occurredAt;
  return event;
}

function eventStart(region: Region): string {
  return `evt_${region}_`;
}

function withoutStart(text: string, start: string): string {
  return text.startsWith(start) ? text.slice(start.length) : text;
}
