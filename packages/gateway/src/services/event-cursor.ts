import { PetakError, type Region } from "@petak/protocol";

/** How far a reader has come in each region's record: the entry `<ms>-<number>` that was read last. */
export type EventCursor = ReadonlyMap<Region, string>;

/** Begins every cursor, so that the layout may change. */
const version = 2;

/** Of a region's id, whose six hexadecimal digits are three bytes. */
const regionBytes = 3;

/** Of an entry's time in ms, which Redis takes from its clock: enough until the year 10889. */
const timeBytes = 6;

/** Of an entry's number within its ms at most, seven bits a byte. */
const numberBytesMax = 8;

/**
 * Writes a cursor. Opaque to callers: after the version come, in the order of the regions, region, time and number of each place. A region
 * costs 14 characters, so that a cursor of every region of a continent is still a small part of a message.
 */
export function encodeCursor(cursor: EventCursor): string {
  const bytes = Buffer.alloc(1 + cursor.size * (regionBytes + timeBytes + numberBytesMax));
  let length = bytes.writeUInt8(version);
  for (const [region, entry] of [...cursor].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const { timeMs, number } = parseEntry(entry);
    length = bytes.writeUIntBE(Number.parseInt(region, 16), length, regionBytes);
    length = bytes.writeUIntBE(timeMs, length, timeBytes);
    let rest = number;
    for (; rest > 127; rest = Math.floor(rest / 128)) length = bytes.writeUInt8(128 + (rest % 128), length);
    length = bytes.writeUInt8(rest, length);
  }
  return bytes.toString("base64url", 0, length);
}

/**
 * Reads a cursor.
 *
 * @throws {PetakError} CURSOR_INVALID where the text is not what {@link encodeCursor} writes.
 */
export function decodeCursor(text: string): EventCursor {
  const cursor = readPlaces(Buffer.from(text, "base64url"));
  // Written again it must be the same: what is doubled, out of order, padded or longer than need be was not made here.
  if (cursor === undefined || encodeCursor(cursor) !== text) {
    throw new PetakError("CURSOR_INVALID", "cursor is not one that this gateway made; send back a cursor as it was received", {
      fieldViolations: [{ field: "cursor", description: "not a cursor of this gateway", rule: "cursor.made_here" }],
    });
  }
  return cursor;
}

/** Time and number of an entry. */
export function parseEntry(entry: string): { timeMs: number; number: number } {
  const dash = entry.indexOf("-");
  return { timeMs: Number(entry.slice(0, dash)), number: Number(entry.slice(dash + 1)) };
}

/** Whether one entry of a region stands before another. */
export function isBefore(entry: string, other: string): boolean {
  const [a, b] = [parseEntry(entry), parseEntry(other)];
  return a.timeMs < b.timeMs || (a.timeMs === b.timeMs && a.number < b.number);
}

function readPlaces(bytes: Buffer): Map<Region, string> | undefined {
  if (bytes[0] !== version) return undefined;
  const cursor = new Map<Region, string>();
  let offset = 1;
  while (offset < bytes.length) {
    if (offset + regionBytes + timeBytes >= bytes.length) return undefined;
    const region = bytes.toString("hex", offset, offset + regionBytes);
    const timeMs = bytes.readUIntBE(offset + regionBytes, timeBytes);
    offset += regionBytes + timeBytes;
    let number = 0;
    for (let place = 0; ; place++) {
      const byte = bytes[offset++];
      if (byte === undefined || place === numberBytesMax) return undefined;
      number += (byte % 128) * 128 ** place;
      if (byte < 128) break;
    }
    if (!region.startsWith("8") || !Number.isSafeInteger(number)) return undefined;
    cursor.set(region, `${timeMs}-${number}`);
  }
  return cursor;
}
