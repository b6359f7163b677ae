import { hash } from "node:crypto";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { LogName } from "@petak/allocator";
import { type EventRange, invalidField, PetakError } from "@petak/protocol";

/** Which events of a log are wanted. What is not given bounds nothing. */
export interface LogRange {
  /** The last number, included. */
  toNumber?: number;
  /** Recorded at or after this, in ms. */
  fromMs?: number;
  /** Recorded before this, in ms. */
  toMs?: number;
}

/**
 * The cursor at the beginning of a range.
 *
 * @throws {PetakError} INVALID_FIELD where it ends before it begins.
 */
export function rangeCursor({ fromNumber, toNumber, from, to }: EventRange, field = "range."): LogCursor {
  if (toNumber > 0n && toNumber < fromNumber) throw invalidField(`${field}to_number`, "is less than from_number", "event_range.numbers");
  const [fromMs, toMs] = [from, to].map((time) => (time === undefined ? undefined : timestampMs(time)));
  if (fromMs !== undefined && toMs !== undefined && toMs < fromMs)
    throw invalidField(`${field}to`, "lies before from", "event_range.times");
  return {
    number: Math.max(0, Number(fromNumber) - 1),
    range: {
      ...(toNumber > 0n ? { toNumber: Number(toNumber) } : {}),
      ...(fromMs === undefined ? {} : { fromMs }),
      ...(toMs === undefined ? {} : { toMs }),
    },
  };
}

/** How far a log was read. */
export interface LogCursor {
  /** The number up to which it was read; 0: nothing was. */
  number: number;
  /** What is wanted of the rest. Default: all. */
  range?: LogRange;
}

/** Begins every cursor, so that the layout may change. */
const version = 3;

/** Of whose log it is: enough that one that came from elsewhere by mistake is noticed. Whoever makes one up reads his own log. */
const ownerBytes = 5;

/** Of a number, and of a time in ms. */
const numberBytes = 6;

/** Stands for what is not given. */
const none = 2 ** (8 * numberBytes) - 1;

const plainBytes = 1 + ownerBytes + numberBytes;
const rangeBytes = 3 * numberBytes;

/** Writes a cursor. Opaque to callers: version, owner and number, and where it is one of a range, the bounds of that. */
export function encodeCursor(log: LogName, { number, range }: LogCursor): string {
  const bytes = Buffer.alloc(plainBytes + (range === undefined ? 0 : rangeBytes));
  bytes.writeUInt8(version);
  ownerOf(log).copy(bytes, 1);
  const numbers = range === undefined ? [number] : [number, range.toNumber ?? none, range.fromMs ?? none, range.toMs ?? none];
  for (const [index, value] of numbers.entries()) bytes.writeUIntBE(value, 1 + ownerBytes + index * numberBytes, numberBytes);
  return bytes.toString("base64url");
}

/**
 * Reads a cursor.
 *
 * @throws {PetakError} CURSOR_INVALID where the text is not what {@link encodeCursor} writes for this log.
 */
export function decodeCursor(log: LogName, text: string): LogCursor {
  const bytes = Buffer.from(text, "base64url");
  const isWhole = bytes.length === plainBytes || bytes.length === plainBytes + rangeBytes;
  if (!isWhole || bytes[0] !== version || bytes.toString("base64url") !== text || !bytes.subarray(1, 1 + ownerBytes).equals(ownerOf(log))) {
    throw invalidCursor(
      "it is not one that this gateway made for the caller; send back a cursor as it was received, with the key it came to",
    );
  }
  const [number = 0, toNumber, fromMs, toMs] = Array.from({ length: (bytes.length - 1 - ownerBytes) / numberBytes }, (_, index) =>
    bytes.readUIntBE(1 + ownerBytes + index * numberBytes, numberBytes),
  );
  if (toNumber === undefined) return { number };
  return { number, range: { ...given("toNumber", toNumber), ...given("fromMs", fromMs), ...given("toMs", toMs) } };
}

/** The error for a cursor that is of no use. */
export function invalidCursor(why: string): PetakError {
  return new PetakError("CURSOR_INVALID", `cursor: ${why}`, {
    fieldViolations: [{ field: "cursor", description: "not a cursor of this log", rule: "cursor.made_here" }],
  });
}

function ownerOf({ participantId, mode }: LogName): Buffer {
  return Buffer.from(hash("sha256", `${participantId} ${mode}`), "hex").subarray(0, ownerBytes);
}

function given<Name extends keyof LogRange>(name: Name, value: number | undefined): LogRange {
  return value === undefined || value === none ? {} : { [name]: value };
}
