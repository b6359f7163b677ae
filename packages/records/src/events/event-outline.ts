import { BinaryReader } from "@bufbuild/protobuf/wire";
import { TimestampSchema } from "@bufbuild/protobuf/wkt";
import { EventSchema } from "@petak/protocol";

/** The fields of an event that determine whose feeds it belongs to and when it was recorded. */
export interface EventOutline {
  participantId: string;
  operatorId: string;
  isTest: boolean;
  /** In ms since 1970. 0 if the event does not say. */
  recordedMs: number;
}

const fields = EventSchema.field;

const secondsNumber = TimestampSchema.field.seconds.number;
const nanosNumber = TimestampSchema.field.nanos.number;

/**
 * Reads the outline of an event from its bytes in a region's stream, without decoding the rest as {@link decodeEvent} does: every event is appended to feeds,
 * and few are read by this gateway.
 *
 * @throws {Error} if the bytes are no message
 */
export function outlineOf(bytes: Buffer): EventOutline {
  const outline: EventOutline = { participantId: "", operatorId: "", isTest: false, recordedMs: 0 };
  let occurredMs = 0;
  let recordedMs: number | undefined;
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (number === fields.participantId.number) outline.participantId = reader.string();
    else if (number === fields.operatorId.number) outline.operatorId = reader.string();
    else if (number === fields.isTest.number) outline.isTest = reader.bool();
    else if (number === fields.occurredAt.number) occurredMs = timeMs(reader.bytes());
    else if (number === fields.recordedAt.number) recordedMs = timeMs(reader.bytes());
    else reader.skip(wireType, number);
  }
  // Left out if it is the same.
  outline.recordedMs = recordedMs ?? occurredMs;
  return outline;
}

function timeMs(bytes: Uint8Array): number {
  const reader = new BinaryReader(bytes);
  let seconds = 0;
  let nanos = 0;
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (number === secondsNumber) seconds = Number(reader.int64());
    else if (number === nanosNumber) nanos = reader.int32();
    else reader.skip(wireType, number);
  }
  return seconds * 1000 + Math.round(nanos / 1e6);
}
