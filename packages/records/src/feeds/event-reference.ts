import type { Event, Region } from "@petak/protocol";
import type { FeedName } from "@petak/redis";

/** Where an event stands: its entry in its region's stream. */
export interface EventReference {
  readonly region: Region;
  readonly entry: string;
}

/** Bytes of an entry: u48 and u32, its two numbers, as in a reservation's chain. */
export const entryBytes = 10;

/** Of a region's id, whose six hexadecimal digits are three bytes. */
const regionBytes = 3;

/** Bytes of a reference: the region's three, then the entry's. */
export const referenceBytes = regionBytes + entryBytes;

/** The feeds in which an event stands: those of the participant that it is about and of the site's operator, in the event's network. */
export function feedsOf({ participantId, operatorId, isTest }: Pick<Event, "participantId" | "operatorId" | "isTest">): FeedName[] {
  const mode = isTest ? "test" : "live";
  return [...new Set([participantId, operatorId])].filter((id) => id !== "").map((id) => ({ participantId: id, mode }));
}

/** A participant's feeds in both networks. */
export function feedsOfParticipant(participantId: string): FeedName[] {
  return [
    { participantId, mode: "live" },
    { participantId, mode: "test" },
  ];
}

/** One name for each feed, for maps. */
export function feedId({ participantId, mode }: FeedName): string {
  return `${participantId} ${mode}`;
}

/** A region in three bytes. */
export function packRegion(region: Region): Buffer {
  return Buffer.from(region, "hex");
}

/** An entry `<ms>-<number>` in ten bytes. */
export function packEntry(entry: string): Buffer {
  const dash = entry.indexOf("-");
  const bytes = Buffer.alloc(entryBytes);
  bytes.writeUIntLE(Number(entry.slice(0, dash)), 0, 6);
  bytes.writeUInt32LE(Number(entry.slice(dash + 1)), 6);
  return bytes;
}

/** Reads what {@link packEntry} wrote. */
export function unpackEntry(bytes: Buffer, offset = 0): string {
  return `${bytes.readUIntLE(offset, 6)}-${bytes.readUInt32LE(offset + 6)}`;
}

/** Reads references that follow one another. */
export function unpackReferences(bytes: Buffer): EventReference[] {
  return Array.from({ length: Math.floor(bytes.length / referenceBytes) }, (_, index) => {
    const offset = index * referenceBytes;
    return { region: bytes.toString("hex", offset, offset + regionBytes), entry: unpackEntry(bytes, offset + regionBytes) };
  });
}
