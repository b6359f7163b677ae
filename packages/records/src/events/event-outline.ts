import { BinaryReader } from "@bufbuild/protobuf/wire";
import { TimestampSchema } from "@bufbuild/protobuf/wkt";
import { EventSchema } from "@petak/protocol";

/** What of an event says in whose feeds it stands, and when it was recorded. */
export interface EventOutline {
  participantId: string;
  operatorId: string;
  isTest: boolean;
  /** In ms; 0 where it does not say. */
  recordedMs: number;
}

const fields = EventSchema.field;

/** Of a timestamp. */
const secondsNumber = TimestampSchema.field.seconds.number;
const nanosNumber = TimestampSchema.field.nanos.number;

/**
 * Reads the outline of an event from its bytes in a region's stream, as {@link decodeEvent} would read it with all the rest. Every event is heard of and
 * logged, and few are read here.
 *
 * @throws {Error} where the bytes are no message
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
  // It is left out where it is the same.
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
