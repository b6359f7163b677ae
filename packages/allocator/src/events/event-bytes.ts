import { fromBinary } from "@bufbuild/protobuf";
import { compileEncoder, type Event, EventSchema, PartyKind } from "@petak/protocol";

const encode = compileEncoder(EventSchema);

/**
 * Bytes of an event in a region's stream, without what follows from the rest: the second naming of the participant where it acted itself, and
 * the time of the record where it is that of the event.
 */
export function encodeEvent(event: Event): Buffer {
  const { actor, participantId, occurredAt, recordedAt } = event;
  const stored = { ...event };
  if (actor !== undefined && actor.kind === PartyKind.PARTICIPANT && actor.participantId === participantId) {
    stored.actor = { ...actor, participantId: "" };
  }
  if (occurredAt !== undefined && occurredAt.seconds === recordedAt?.seconds && occurredAt.nanos === recordedAt.nanos) {
    delete stored.recordedAt;
  }
  return encode(stored);
}

/** Reads what {@link encodeEvent} wrote. */
export function decodeEvent(bytes: Uint8Array): Event {
  const event = fromBinary(EventSchema, bytes);
  const { actor, participantId } = event;
  if (actor?.kind === PartyKind.PARTICIPANT && actor.participantId === "") actor.participantId = participantId;
  if (event.recordedAt === undefined && event.occurredAt !== undefined) event.recordedAt = event.occurredAt;
  return event;
}
