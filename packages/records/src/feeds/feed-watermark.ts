import { createHash } from "node:crypto";
import type { EventReference } from "./event-reference.ts";

/**
 * What shows that a feed is still the one that was read up to a number. A server that loses its power, or a failover, may lose the feed's end, and its numbers
 * are then given to other events: whoever goes on by the number alone would miss them.
 */
export interface FeedWatermark {
  /** Of the last references up to the number: 8 hexadecimal digits. */
  readonly check: string;
  /** How many references that are. */
  readonly count: number;
  /** The time of the newest event that was read, in ms by the clock of its region's server. */
  readonly newestMs: number;
}

/** A place in a feed. */
export interface FeedPosition {
  /** The number up to which it was read. */
  readonly number: number;
  /** What shows that the feed is still the one that was read. Without it that is taken for granted. */
  readonly mark?: FeedWatermark;
}

/** References of which a mark is made at most: events of several regions may be logged in another order when they are logged anew. */
export const markedReferences = 16;

const checkDigits = 8;

/** Those of some references of which a mark is made. */
export function lastOf(references: readonly EventReference[]): readonly EventReference[] {
  return references.slice(-markedReferences);
}

/** Whether a feed has the references before a place that the place's mark was made of. `references`: the last up to the place's number, as many as are known. */
export function isMarkOf({ check, count }: FeedWatermark, references: readonly EventReference[]): boolean {
  return references.length >= count && checkOf(references.slice(references.length - count)) === check;
}

/**
 * The place behind some references, the last of which stands at its number.
 *
 * @param newestMs the time of the newest event that was read before them, in ms
 */
export function placeAt(number: number, references: readonly EventReference[], newestMs = 0): FeedPosition {
  const marked = lastOf(references);
  if (marked.length === 0) return { number };
  const newest = references.reduce((latest, { entry }) => Math.max(latest, timeOfEntry(entry)), newestMs);
  return { number, mark: { check: checkOf(marked), count: marked.length, newestMs: newest } };
}

/** When an entry was recorded, in ms by the clock of its region's server. */
export function timeOfEntry(entry: string): number {
  return Number(entry.slice(0, entry.indexOf("-")));
}

function checkOf(references: readonly EventReference[]): string {
  const hash = createHash("sha256");
  for (const { region, entry } of references) hash.update(`${region} ${entry} `);
  return hash.digest("hex").slice(0, checkDigits);
}
