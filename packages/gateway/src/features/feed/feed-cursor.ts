import { hash } from "node:crypto";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type EventRange, invalidField } from "@petak/protocol";
import type { FeedChecksum, FeedPosition } from "@petak/records";
import type { FeedName } from "@petak/redis";
import { invalidCursor } from "./invalid-cursor.ts";

/** Bounds on the events of a feed. Omitted bounds are unlimited. */
export interface FeedRange {
  /** Last feed number, inclusive. */
  toNumber?: number;
  /** Recorded at or after this, in ms. */
  fromMs?: number;
  /** Recorded before this, in ms. */
  toMs?: number;
}

/**
 * Makes the cursor for the beginning of a range.
 *
 * @throws {PetakError} INVALID_FIELD if the range ends before it begins.
 */
export function rangeCursor({ fromNumber, toNumber, from, to }: EventRange, field = "range."): FeedCursor {
  if (toNumber > 0n && toNumber < fromNumber)
    throw invalidField(`${field}to_number`, "must not be less than from_number", "event_range.numbers");
  const [fromMs, toMs] = [from, to].map((time) => (time === undefined ? undefined : timestampMs(time)));
  if (fromMs !== undefined && toMs !== undefined && toMs < fromMs)
    throw invalidField(`${field}to`, "must not be before from", "event_range.times");
  return {
    number: Math.max(0, Number(fromNumber) - 1),
    range: {
      ...(toNumber > 0n ? { toNumber: Number(toNumber) } : {}),
      ...(fromMs === undefined ? {} : { fromMs }),
      ...(toMs === undefined ? {} : { toMs }),
    },
  };
}

/** Position in a feed. */
export interface FeedCursor extends FeedPosition {
  /** Bounds of the remaining events. Default: none. A cursor with a range has no `checksum`. */
  range?: FeedRange;
}

/** First byte of every cursor. Changes with the layout. */
const version = 4;

/** Length of the hash that names the feed. It detects cursors that are used by mistake; a forged cursor reads the forger's own feed. */
const ownerBytes = 5;

/** Length of a feed number, and of a time in ms. */
const numberBytes = 6;

/** Encodes an omitted bound. */
const none = 2 ** (8 * numberBytes) - 1;

const plainBytes = 1 + ownerBytes + numberBytes;
const rangeBytes = 3 * numberBytes;

/** Bytes of a checksum: four of its digits, one of its number of references, and a time. */
const checksumBytes = 4 + 1 + numberBytes;

/** Encodes a cursor, opaque to callers: version, owner and feed number, then the checksum of the position or the bounds of the range. */
export function encodeCursor(feed: FeedName, { number, checksum, range }: FeedCursor): string {
  const head = Buffer.alloc(plainBytes);
  head.writeUInt8(version);
  ownerOf(feed).copy(head, 1);
  head.writeUIntBE(number, 1 + ownerBytes, numberBytes);
  if (range !== undefined) return Buffer.concat([head, encodeRange(range)]).toString("base64url");
  return Buffer.concat(checksum === undefined ? [head] : [head, encodeChecksum(checksum)]).toString("base64url");
}

function encodeRange({ toNumber, fromMs, toMs }: FeedRange): Buffer {
  const bytes = Buffer.alloc(rangeBytes);
  for (const [index, value] of [toNumber, fromMs, toMs].entries()) bytes.writeUIntBE(value ?? none, index * numberBytes, numberBytes);
  return bytes;
}

function encodeChecksum({ check, count, newestMs }: FeedChecksum): Buffer {
  const bytes = Buffer.alloc(checksumBytes);
  bytes.write(check, "hex");
  bytes.writeUInt8(count, 4);
  bytes.writeUIntBE(newestMs, 5, numberBytes);
  return bytes;
}

function decodeChecksum(bytes: Buffer): FeedChecksum {
  return { check: bytes.toString("hex", 0, 4), count: bytes.readUInt8(4), newestMs: bytes.readUIntBE(5, numberBytes) };
}

/**
 * Decodes a cursor.
 *
 * @throws {PetakError} CURSOR_INVALID if {@link encodeCursor} did not make it for this feed.
 */
export function decodeCursor(feed: FeedName, text: string): FeedCursor {
  const bytes = Buffer.from(text, "base64url");
  const rest = bytes.subarray(plainBytes);
  const isWhole = bytes.length >= plainBytes && [0, checksumBytes, rangeBytes].includes(rest.length);
  if (
    !isWhole ||
    bytes[0] !== version ||
    bytes.toString("base64url") !== text ||
    !bytes.subarray(1, 1 + ownerBytes).equals(ownerOf(feed))
  ) {
    throw invalidCursor();
  }
  const number = bytes.readUIntBE(1 + ownerBytes, numberBytes);
  if (rest.length === 0) return { number };
  if (rest.length === checksumBytes) return { number, checksum: decodeChecksum(rest) };
  const [toNumber, fromMs, toMs] = [0, 1, 2].map((index) => rest.readUIntBE(index * numberBytes, numberBytes));
  return { number, range: { ...given("toNumber", toNumber), ...given("fromMs", fromMs), ...given("toMs", toMs) } };
}

function ownerOf({ participantId, mode }: FeedName): Buffer {
  return Buffer.from(hash("sha256", `${participantId} ${mode}`), "hex").subarray(0, ownerBytes);
}

function given<Name extends keyof FeedRange>(name: Name, value: number | undefined): FeedRange {
  return value === undefined || value === none ? {} : { [name]: value };
}
