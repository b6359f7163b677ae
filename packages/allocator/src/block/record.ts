import { type Position, unitsPerDegree } from "@petak/protocol/geo";

/**
 * Size of a record in bytes. A block is a string of records, one for each site of its index cell, little-endian:
 *
 * | offset | type | field |
 * |---|---|---|
 * | 0 | u32 | site number, unique in the region |
 * | 4 | i32 | latitude in 1e-7 degree |
 * | 8 | i32 | longitude in 1e-7 degree |
 * | 12 | u32 | revision of the site's facts |
 * | 16 | u32 | flags, see {@link recordFlag} |
 * | 20 | u16 | operator number |
 * | 22 | u16 | size profile number in the region's list of size profiles: its lower 16 bits |
 * | 24 | 2 × u8 | country, ISO 3166-1 alpha-2 in ASCII |
 * | 26 | u16 | opening hours: 0 always open, else the number in the region's list of opening times: its lower 16 bits |
 * | 28 | u32 | time of the site's last report, in s since 1970; 0: the gateway's own counts apply |
 * | 32 | u16 | ttl of the report, in s; 0: not valid any more |
 * | 34 | u8 | upper 8 bits of the size profile number |
 * | 35 | u8 | upper 8 bits of the opening hours |
 * | 36 | 8 × u8 | free to promise of each size class, 255 meaning 255 or more |
 *
 * lua/includes/site-index.lua uses the offsets of site number and counts, lua/put-site.lua and lua/includes/region-lists.lua all except the position.
 */
export const recordBytes = 44;

/** Greatest number of size classes at a site. */
export const maxSizeClasses = 8;

/** Offset of the revision of the site's facts. */
export const revisionOffset = 12;

/** Offset of the flags. */
export const flagsOffset = 16;

/** Offset of the operator number. */
export const operatorOffset = 20;

/** Offset of the size profile number. */
export const profileOffset = 22;

/** Offset of the country, in the form of {@link countryNumber}. */
export const countryOffset = 24;

/** Offset of the opening hours number. */
export const openingHoursOffset = 26;

/** Offset of the time at which the site's report was observed. */
export const observedAtOffset = 28;

/** Offset of the report's ttl. */
export const ttlOffset = 32;

/** Offsets of the upper 8 bits of the size profile number and of the opening hours number. */
export const profileUpperOffset = 34;
export const openingHoursUpperOffset = 35;

/** Offset of the free counts. */
export const freeOffset = 36;

/** Bits of a record's flags. */
export const recordFlag = {
  parcelTerminal: 1 << 0,
  collectionPoint: 1 << 1,
  test: 1 << 2,
  delivery: 1 << 3,
  firstMile: 1 << 4,
  return: 1 << 5,
  stepFree: 1 << 6,
  cardPayment: 1 << 7,
  ageCheck: 1 << 8,
  idCheck: 1 << 9,
  cashOnDelivery: 1 << 10,
  dangerousGoods: 1 << 11,
  personalCollection: 1 << 12,
  namedCompartments: 1 << 13,
  /** The site's operator reports its free places. Alone in the third byte of the flags, which only scripts write. */
  reportsCapacity: 1 << 16,
} as const;

/** The content of a record, without the counts. */
export interface SiteRecord {
  siteNumber: number;
  position: Position;
  revision: number;
  flags: number;
  operatorNumber: number;
  /** ISO 3166-1 alpha-2. */
  countryCode: string;
}

/** A country code as the u16 stored in a record. */
export function countryNumber(countryCode: string): number {
  return countryCode.charCodeAt(0) | (countryCode.charCodeAt(1) << 8);
}

/** Encodes a record with profile 0, opening hours 0, no report and no free place; the script that adds it to the index sets these. */
export function encodeRecord(record: SiteRecord): Buffer {
  const bytes = Buffer.alloc(recordBytes);
  bytes.writeUInt32LE(record.siteNumber, 0);
  bytes.writeInt32LE(Math.round(record.position.latitude * unitsPerDegree), 4);
  bytes.writeInt32LE(Math.round(record.position.longitude * unitsPerDegree), 8);
  bytes.writeUInt32LE(record.revision, revisionOffset);
  bytes.writeUInt32LE(record.flags, flagsOffset);
  bytes.writeUInt16LE(record.operatorNumber, operatorOffset);
  bytes.writeUInt16LE(countryNumber(record.countryCode), countryOffset);
  return bytes;
}
