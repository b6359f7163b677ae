import { decodeReport, type Observation } from "@petak/allocator";
import { type ClassCount, classCountBytes, decodeClassCounts } from "./capacity.ts";

/** What is counted at a site. */
export interface Tally {
  /** The places of each size class, in the site's order. */
  counts: ClassCount[];
  /** When they were observed, where the site reports them; undefined where they are the gateway's own. */
  observation: Observation | undefined;
}

/** Bytes before the counts: u48 when a parcel last went in or came out, in ms since 1970, 0 for never; u8 number of size classes. */
const headBytes = 7;

/**
 * Reads a site's tally: head, the counts of each size class, then its last report where it ever reported. All little-endian;
 * lua/includes/site-index.lua reads and writes the same. The tallies of all sites of a cell are one hash, which Redis keeps in one piece of
 * memory: a key for each site would take more than what it says.
 */
export function decodeTally(bytes: Buffer): Tally {
  const countsEnd = headBytes + (bytes[headBytes - 1] ?? 0) * classCountBytes;
  return {
    counts: decodeClassCounts(bytes.subarray(headBytes, countsEnd)),
    observation: bytes.length === countsEnd ? undefined : decodeReport(bytes.subarray(countsEnd)),
  };
}
