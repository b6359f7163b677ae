import { type DescMessage, fromBinary, fromJson, type JsonValue, type MessageShape, toBinary, toJson } from "@bufbuild/protobuf";
import { EventSchema, type Reservation, ReservationSchema } from "@petak/protocol";
import type { RecordedEvent } from "../../events/event-stream.ts";
import type { StoredEvent } from "../region-archive.ts";
import { ArchiveFailure } from "./archive-failure.ts";

/** A reservation that has ended, and the entries of the events about it in its region's record, oldest first. */
export interface ArchivedReservation {
  reservation: Reservation;
  chain: readonly string[];
}

const eventStart = '{"entry":"';
const reservationStart = '{"reservation":';
const binaryMark = '"binary":"';

/**
 * The line of an event: its entry and the event as JSON. Where the JSON does not say all of it, since a newer gateway has written it, the message stands
 * beside it and counts; where it is no event, the bytes from the record.
 */
export function eventLine(stored: StoredEvent): string {
  const { entry, bytes } = stored;
  const json = jsonOf(EventSchema, () => stored.event);
  const event = json.text === undefined ? "" : `,"event":${json.text}`;
  const message = json.text === undefined ? bytes : Buffer.from(toBinary(EventSchema, stored.event));
  const binary = json.isWhole ? "" : `,${binaryMark}${message.toString("base64")}"`;
  return `${eventStart}${entry}"${event}${binary}}`;
}

/** The line of a reservation. */
export function reservationLine({ reservation, chain }: ArchivedReservation): string {
  const json = jsonOf(ReservationSchema, () => reservation);
  const { text = JSON.stringify({ reservationId: reservation.reservationId }) } = json;
  const binary = json.isWhole ? "" : `,${binaryMark}${Buffer.from(toBinary(ReservationSchema, reservation)).toString("base64")}"`;
  return `${reservationStart}${text},"chain":${JSON.stringify(chain)}${binary}}`;
}

/** Whether a line is of an event; else it is of a reservation. */
export function isEventLine(line: string): boolean {
  return line.startsWith(eventStart);
}

/** The entry of an event's line. */
export function entryOf(line: string): string {
  return line.slice(eventStart.length, line.indexOf('"', eventStart.length));
}

/** The event of a line, read when it is first asked for. */
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

/** Whether a line is that of a reservation. */
export function isLineOf(line: string, reservationId: string): boolean {
  return line.startsWith(reservationStart) && line.includes(`"reservationId":"${reservationId}"`);
}

/** The reservation of a line. */
export function readReservation(line: string): ArchivedReservation {
  const { reservation, chain, binary } = parse(line) as { reservation: JsonValue; chain: string[]; binary?: string };
  if (binary === undefined) return { reservation: fromJson(ReservationSchema, reservation), chain };
  return { reservation: fromBinary(ReservationSchema, Buffer.from(binary, "base64")), chain };
}

/** Whether a line says of an event what its region's stream says, whichever version has written the line. */
export function isEventOf(line: string, stored: StoredEvent): boolean {
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

/** Whether a line says of a reservation what the records say. */
export function isReservationOf(line: string, stored: ArchivedReservation): boolean {
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

/** The reservations among some lines. */
export function reservationsIn(lines: readonly string[]): ArchivedReservation[] {
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
    throw new ArchiveFailure("damaged", "a line that is no JSON", { cause: error });
  }
}

/** A message's JSON, if it has one, and whether all of the message can be read from it again. */
function jsonOf<Desc extends DescMessage>(schema: Desc, read: () => MessageShape<Desc>): { text?: string; isWhole: boolean } {
  try {
    const message = read();
    const json = toJson(schema, message);
    const again = fromJson(schema, json);
    return { text: JSON.stringify(json), isWhole: Buffer.compare(toBinary(schema, message), toBinary(schema, again)) === 0 };
  } catch {
    // What cannot be read here is kept as it is: a later gateway may.
    return { isWhole: false };
  }
}
