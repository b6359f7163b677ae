import { createHash } from "node:crypto";
import type { LogReference } from "./log-reference.ts";

/**
 * What shows that a log is still the one that was read up to a number. A server that loses its power, or a failover, may lose the log's end, and its numbers
 * are then given to other events: whoever goes on by the number alone would miss them.
 */
export interface LogMark {
  /** Of the last references up to the number: 8 hexadecimal digits. */
  readonly check: string;
  /** How many references that are. */
  readonly count: number;
  /** The time of the newest event that was read, in ms by the clock of its region's server. */
  readonly newestMs: number;
}

/** References of which a mark is made at most: events of several regions may be logged in another order when they are logged anew. */
export const markedReferences = 16;

const checkDigits = 8;

/** The check of some references. */
export function checkOf(references: readonly LogReference[]): string {
  const hash = createHash("sha256");
  for (const { region, entry } of references) hash.update(`${region} ${entry} `);
  return hash.digest("hex").slice(0, checkDigits);
}

/** When an entry was recorded, in ms by the clock of its region's server. */
export function timeOfEntry(entry: string): number {
  return Number(entry.slice(0, entry.indexOf("-")));
}
