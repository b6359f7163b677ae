import type { Event, Region } from "@petak/protocol";
import type { FeedName } from "@petak/redis";
import { entryBytes, unpackEntry } from "../encoding/stream-entry.ts";

/** The position of an event: its region, and its entry in the region's stream. */
export interface EventReference {
  readonly region: Region;
  readonly entry: string;
}

/** Bytes of a packed region: the six hexadecimal digits of its id. */
const regionBytes = 3;

/** Bytes of a packed reference: the region, then the entry. */
export const referenceBytes = regionBytes + entryBytes;

/** The feeds that contain an event: those of the participant that it is about and of the site's operator, in the event's network. */
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

/** A unique string for each feed, for use as a map key. */
export function feedId({ participantId, mode }: FeedName): string {
  return `${participantId} ${mode}`;
}

/** Packs a region. */
export function packRegion(region: Region): Buffer {
  return Buffer.from(region, "hex");
}

/** Decodes consecutive references. */
export function unpackReferences(bytes: Buffer): EventReference[] {
  return Array.from({ length: Math.floor(bytes.length / referenceBytes) }, (_, index) => {
    const offset = index * referenceBytes;
    return { region: bytes.toString("hex", offset, offset + regionBytes), entry: unpackEntry(bytes, offset + regionBytes) };
  });
}
