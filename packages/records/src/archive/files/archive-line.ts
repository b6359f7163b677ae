import { type DescMessage, fromBinary, fromJson, type JsonValue, type MessageShape, toBinary, toJson } from "@bufbuild/protobuf";
import { type AuditEntry, AuditEntrySchema, EventSchema, ReservationSchema } from "@petak/protocol";
import type { ReservationWithChain } from "../../encoding/reservation-record.ts";
import type { RecordedEvent, StreamEvent } from "../../events/event-stream.ts";
import { ArchiveFailure } from "./archive-failure.ts";

const eventStart = '{"entry":"';
const reservationStart = '{"reservation":';
const binaryMark = '"binary":"';

/**
 * Encodes the line of an event: its entry, and the event as JSON. If the JSON is incomplete, since a newer gateway has written the event, the line also contains the
 * encoded message, which takes precedence. If the bytes are no event, the line contains the bytes instead.
 */
export function eventLine(stored: Pick<StreamEvent, "entry" | "bytes" | "event">): string {
  const { entry, bytes } = stored;
  const json = jsonOf(EventSchema, () => stored.event);
  const event = json.text === undefined ? "" : `,"event":${json.text}`;
  const message = json.text === undefined ? bytes : Buffer.from(toBinary(EventSchema, stored.event));
  const binary = json.isWhole ? "" : `,${binaryMark}${message.toString("base64")}"`;
  return `${eventStart}${entry}"${event}${binary}}`;
}

/** Encodes the line of a reservation. */
export function reservationLine({ reservation, chain }: ReservationWithChain): string {
  const json = jsonOf(ReservationSchema, () => reservation);
  const { text = JSON.stringify({ reservationId: reservation.reservationId }) } = json;
  const binary = json.isWhole ? "" : `,${binaryMark}${Buffer.from(toBinary(ReservationSchema, reservation)).toString("base64")}"`;
  return `${reservationStart}${text},"chain":${JSON.stringify(chain)}${binary}}`;
}

/** Encodes the line of an administrative change, with the encoded message as in {@link eventLine} if the JSON is incomplete. */
export function auditLine(entry: AuditEntry): string {
  const { text = "{}", isWhole } = jsonOf(AuditEntrySchema, () => entry);
  const binary = isWhole ? "" : `,${binaryMark}${Buffer.from(toBinary(AuditEntrySchema, entry)).toString("base64")}"`;
  return `{"audit":${text}${binary}}`;
}

/** Decodes the administrative change of a line. */
export function readAuditEntry(line: string): AuditEntry {
  const { audit, binary } = parse(line) as { audit?: JsonValue; binary?: string };
  if (binary !== undefined) return fromBinary(AuditEntrySchema, Buffer.from(binary, "base64"));
  return fromJson(AuditEntrySchema, audit ?? {});
}

/** Whether a line is an event's, not a reservation's. */
export function isEventLine(line: string): boolean {
  return line.startsWith(eventStart);
}

/** The entry of an event's line. */
export function entryOf(line: string): string {
  return line.slice(eventStart.length, line.indexOf('"', eventStart.length));
}

/** The event of a line, decoded on first access. */
export function recordedEvent(line: string): RecordedEvent {
  let event: RecordedEvent["event"] | undefined;
  return {
    entry: entryOf(line),
    get event() {
      event ??= readEvent(line);
      return event;
    },
  };
}

/** Whether a line is that of the reservation with an id. */
export function isLineOf(line: string, reservationId: string): boolean {
  return line.startsWith(reservationStart) && line.includes(`"reservationId":"${reservationId}"`);
}

/** Decodes the reservation of a line. */
export function readReservation(line: string): ReservationWithChain {
  const { reservation, chain, binary } = parse(line) as { reservation: JsonValue; chain: string[]; binary?: string };
  if (binary === undefined) return { reservation: fromJson(ReservationSchema, reservation), chain };
  return { reservation: fromBinary(ReservationSchema, Buffer.from(binary, "base64")), chain };
}

/** Whether a line, written by any version, equals an event of a stream. */
export function isEventOf(line: string, stored: Pick<StreamEvent, "entry" | "bytes" | "event">): boolean {
  if (line === eventLine(stored)) return true;
  return (
    entryOf(line) === stored.entry &&
    isSame(
      EventSchema,
      () => readEvent(line),
      () => stored.event,
    )
  );
}

/** Whether a line, written by any version, equals a stored reservation. */
export function isReservationOf(line: string, stored: ReservationWithChain): boolean {
  if (line === reservationLine(stored)) return true;
  const { reservation, chain } = readReservation(line);
  return (
    chain.join() === stored.chain.join() &&
    isSame(
      ReservationSchema,
      () => reservation,
      () => stored.reservation,
    )
  );
}

function isSame<Desc extends DescMessage>(schema: Desc, read: () => MessageShape<Desc>, other: () => MessageShape<Desc>): boolean {
  try {
    return Buffer.compare(toBinary(schema, read()), toBinary(schema, other())) === 0;
  } catch {
    return false;
  }
}

/** Decodes the reservations among lines. */
export function reservationsIn(lines: readonly string[]): ReservationWithChain[] {
  return lines.filter((line) => !isEventLine(line)).map(readReservation);
}

function readEvent(line: string): RecordedEvent["event"] {
  const { event, binary } = parse(line) as { event?: JsonValue; binary?: string };
  if (binary !== undefined) return fromBinary(EventSchema, Buffer.from(binary, "base64"));
  return fromJson(EventSchema, event ?? {});
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new ArchiveFailure("damaged", "a line is not valid JSON", { cause: error });
  }
}

/** A message as JSON if possible, and whether the whole message can be decoded from the JSON. */
function jsonOf<Desc extends DescMessage>(schema: Desc, read: () => MessageShape<Desc>): { text?: string; isWhole: boolean } {
  try {
    const message = read();
    const json = toJson(schema, message);
    const again = fromJson(schema, json);
    return { text: JSON.stringify(json), isWhole: Buffer.compare(toBinary(schema, message), toBinary(schema, again)) === 0 };
  } catch {
    // Kept as bytes: a newer gateway may be able to decode it.
    return { isWhole: false };
  }
}
