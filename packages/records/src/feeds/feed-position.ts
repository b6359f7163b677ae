import { createHash } from "node:crypto";
import { entryTimeMs } from "../encoding/stream-entry.ts";
import type { EventReference } from "./event-reference.ts";

/**
 * A checksum by which a reader detects that a feed has lost its end. A power failure or a failover may lose the last events of a feed, and their numbers are
 * then given to other events: a reader that continued by the number alone would miss those.
 */
export interface FeedChecksum {
  /** Checksum of the last references up to the number: 8 hexadecimal digits. */
  readonly check: string;
  /** The number of references in the checksum. */
  readonly count: number;
  /** The time of the newest event that was read, in ms by the clock of its region's server. */
  readonly newestMs: number;
}

/** A position in a feed. */
export interface FeedPosition {
  /** The number up to which the feed was read. */
  readonly number: number;
  /** Detects that the feed has lost its end since. Undefined: that is not checked. */
  readonly checksum?: FeedChecksum;
}

/** The most references in a checksum. More than one, since events of several regions may be appended in another order after a loss. */
export const checkedReferences = 16;

const checkDigits = 8;

/** The references that are part of a checksum. */
export function lastOf(references: readonly EventReference[]): readonly EventReference[] {
  return references.slice(-checkedReferences);
}

/** Whether a checksum matches references, the last of which is at the checked position. False if there are fewer than were checked. */
export function matches({ check, count }: FeedChecksum, references: readonly EventReference[]): boolean {
  return references.length >= count && checkOf(references.slice(references.length - count)) === check;
}

/**
 * The position after references.
 *
 * @param number the number of the last reference
 * @param newestMs the time of the newest event that was read before them, in ms
 */
export function positionAfter(number: number, references: readonly EventReference[], newestMs = 0): FeedPosition {
  const checked = lastOf(references);
  if (checked.length === 0) return { number };
  const newest = references.reduce((latest, { entry }) => Math.max(latest, entryTimeMs(entry)), newestMs);
  return { number, checksum: { check: checkOf(checked), count: checked.length, newestMs: newest } };
}

function checkOf(references: readonly EventReference[]): string {
  const hash = createHash("sha256");
  for (const { region, entry } of references) hash.update(`${region} ${entry} `);
  return hash.digest("hex").slice(0, checkDigits);
}
