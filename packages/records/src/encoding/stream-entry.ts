/** Bytes of a packed entry id: u48 time in ms and u32 number, little-endian. */
export const entryBytes = 10;

/** The position before the first entry of a stream. */
export const firstEntry = "0-0";

/** Whether an entry id `<ms>-<number>` is after another. */
export function isAfter(entry: string, other: string): boolean {
  const [timeMs = 0, number = 0] = entry.split("-").map(Number);
  const [otherTimeMs = 0, otherNumber = 0] = other.split("-").map(Number);
  return timeMs > otherTimeMs || (timeMs === otherTimeMs && number > otherNumber);
}

/** The smallest entry id after another. */
export function nextEntry(entry: string): string {
  const [timeMs, number = 0] = entry.split("-").map(Number);
  return `${timeMs}-${number + 1}`;
}

/** When an entry was recorded, in ms since 1970 by the clock of its region's server. */
export function entryTimeMs(entry: string): number {
  return Number(entry.slice(0, entry.indexOf("-")));
}

/** Packs an entry id. */
export function packEntry(entry: string): Buffer {
  const dash = entry.indexOf("-");
  const bytes = Buffer.alloc(entryBytes);
  bytes.writeUIntLE(Number(entry.slice(0, dash)), 0, 6);
  bytes.writeUInt32LE(Number(entry.slice(dash + 1)), 6);
  return bytes;
}

/** Reads an entry id that {@link packEntry} or a script wrote. */
export function unpackEntry(bytes: Buffer, offset = 0): string {
  return `${bytes.readUIntLE(offset, 6)}-${bytes.readUInt32LE(offset + 6)}`;
}
