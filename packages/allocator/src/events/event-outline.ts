import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { EventSchema } from "@petak/protocol";

/** What of an event says in whose logs it stands, and when it was recorded. */
export interface EventOutline {
  participantId: string;
  operatorId: string;
  isTest: boolean;
  /** In ms; 0 where it does not say. */
  recordedMs: number;
}

const fields = EventSchema.field;

/** Of a timestamp. */
const secondsNumber = 1;
const nanosNumber = 2;

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
  const reader = new WireReader(bytes, 0, bytes.length);
  while (reader.next()) {
    if (reader.number === fields.participantId.number) outline.participantId = reader.text();
    else if (reader.number === fields.operatorId.number) outline.operatorId = reader.text();
    else if (reader.number === fields.isTest.number) outline.isTest = reader.value !== 0;
    else if (reader.number === fields.occurredAt.number) occurredMs = timeMs(reader.message());
    else if (reader.number === fields.recordedAt.number) recordedMs = timeMs(reader.message());
  }
  // It is left out where it is the same.
  outline.recordedMs = recordedMs ?? occurredMs;
  return outline;
}

function timeMs(reader: WireReader): number {
  let seconds = 0;
  let nanos = 0;
  while (reader.next()) {
    if (reader.number === secondsNumber) seconds = reader.value;
    else if (reader.number === nanosNumber) nanos = reader.value;
  }
  return seconds * 1000 + Math.round(nanos / 1e6);
}

/** Goes through the fields of a message on the wire and makes nothing of those that are not asked for: a quarter of what the library's reader takes. */
class WireReader {
  /** Of the field at which it is, and its value where that is a number, up to 2^53. */
  number = 0;
  value = 0;
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;
  #start = 0;

  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** Goes to the next field, if there is one. */
  next(): boolean {
    if (this.#at >= this.#end) return false;
    const tag = this.#varint();
    this.number = Math.floor(tag / 8);
    switch (tag % 8) {
      case WireType.Varint:
        this.value = this.#varint();
        break;
      case WireType.LengthDelimited:
        this.#skip(this.#varint());
        break;
      case WireType.Bit64:
        this.#skip(8);
        break;
      case WireType.Bit32:
        this.#skip(4);
        break;
      default:
        // Groups are in no message of ours.
        throw new Error(`a field of wire type ${tag % 8}`);
    }
    return true;
  }

  text(): string {
    return this.#bytes.toString("utf8", this.#start, this.#at);
  }

  message(): WireReader {
    return new WireReader(this.#bytes, this.#start, this.#at);
  }

  #skip(length: number): void {
    this.#start = this.#at;
    this.#at += length;
    if (this.#at > this.#end) throw new Error("the message ends within a field");
  }

  #varint(): number {
    let value = 0;
    for (let at = this.#at, scale = 1; at < this.#end && scale < 2 ** 49; at += 1, scale *= 128) {
      const byte = this.#bytes[at] as number;
      value += (byte & 0x7f) * scale;
      if (byte >= 0x80) continue;
      this.#at = at + 1;
      return value;
    }
    // Longer, negative, or cut off.
    const reader = new BinaryReader(this.#bytes.subarray(this.#at, this.#end));
    value = Number(reader.int64());
    this.#at += reader.pos;
    return value;
  }
}
