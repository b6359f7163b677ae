import { decodeReport, type Observation } from "@petak/allocator";

/** The places of one size class at a site. */
export interface ClassCount {
  /** Places that exist. */
  installed: number;
  /** Places that are in working order. */
  inService: number;
  /** Places that contain a parcel of this network. */
  occupied: number;
  /** Places promised to reservations that have not been deposited yet. */
  held: number;
  /** Places that contain something else, by the site's last capacity report. 0 if the site does not report. */
  occupiedByOthers: number;
}

/** The site counts. */
export interface SiteCounts {
  /** The places of each size class, in the site's order. */
  counts: ClassCount[];
  /** When the site last reported its counts. Undefined if the gateway's own counts apply. */
  observation: Observation | undefined;
}

/** Free to promise, the only number that may be offered: in service − occupied − held − occupied by others, at least 0. */
export function freeToPromise({ inService, occupied, held, occupiedByOthers }: ClassCount): number {
  return Math.max(0, inService - occupied - held - occupiedByOthers);
}

/** Bytes before the counts: u48 time of the last deposit or collection in ms since 1970, 0 for never; u8 number of size classes. */
const headBytes = 7;

/**
 * Bytes of each size class: four u16 and an i16, in the order of {@link ClassCount}. The last is what the report counted as occupied minus what the store
 * did. It is negative if parcels of this network were gone whose collection had not been recorded yet.
 */
const classCountBytes = 10;

/**
 * Decodes site counts: the head, the counts of each size class, and the site's last report if there ever was one. All numbers are little-endian;
 * lua/includes/site-index.lua reads and writes the same. The counts of all sites of a cell are one hash, which Redis stores compactly: with a key for each
 * site the key would take more memory than the counts.
 */
export function decodeSiteCounts(bytes: Buffer): SiteCounts {
  const countsEnd = headBytes + (bytes[headBytes - 1] ?? 0) * classCountBytes;
  const counts: ClassCount[] = [];
  for (let offset = headBytes; offset < countsEnd; offset += classCountBytes) {
    counts.push({
      installed: bytes.readUInt16LE(offset),
      inService: bytes.readUInt16LE(offset + 2),
      occupied: bytes.readUInt16LE(offset + 4),
      held: bytes.readUInt16LE(offset + 6),
      occupiedByOthers: Math.max(0, bytes.readInt16LE(offset + 8)),
    });
  }
  return { counts, observation: bytes.length === countsEnd ? undefined : decodeReport(bytes.subarray(countsEnd)) };
}
