import { type Position, unitsPerDegree } from "../geo/position.ts";

/**
 * One site in the block of its index cell. A block is a string of such records, little-endian:
 *
 * | offset | type | field |
 * |---|---|---|
 * | 0 | u32 | site number, unique in the region |
 * | 4 | i32 | latitude in 1e-7 degree |
 * | 8 | i32 | longitude in 1e-7 degree |
 * | 12 | u32 | revision of the site's facts |
 * | 16 | u32 | flags, see {@link recordFlag} |
 * | 20 | u16 | operator number |
 * | 22 | u16 | size profile number, an index of the region's profile list |
 * | 24 | 2 × u8 | country, ISO 3166-1 alpha-2 in ASCII |
 * | 26 | u16 | opening hours: 0 never closed, else 1 + an index of the region's list of opening times |
 * | 28 | u32 | when the site's report was observed, in s since 1970; 0: the counts are the gateway's own, and always known |
 * | 32 | u16 | how long the report holds, in s; 0: no more |
 * | 34 | u16 | 0 |
 * | 36 | 8 × u8 | free to promise of each size class, 255 meaning 255 or more |
 *
 * lua/includes/site-index.lua knows the offsets of site number and counts, lua/put-site.lua all but those of the flags.
 */
export const recordBytes = 44;

/** Greatest number of size classes at a site. */
export const maxSizeClasses = 8;

/** Where the revision of the site's facts is in a record. */
export const revisionOffset = 12;

/** Where the flags are in a record. */
export const flagsOffset = 16;

/** Where the operator's number is in a record. */
export const operatorOffset = 20;

/** Where the number of the size profile is in a record. */
export const profileOffset = 22;

/** Where the country is in a record, as {@link countryNumber} gives it. */
export const countryOffset = 24;

/** Where the number of the opening hours is in a record. */
export const openingHoursOffset = 26;

/** Where a record says when its site's report was observed. */
export const observedAtOffset = 28;

/** Where a record says how long that report holds. */
export const ttlOffset = 32;

/** Where the free counts begin in a record. */
export const freeOffset = 36;

/** The bits of a record's flags. */
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
  /** Its operator reports what is free there. It has the flags' third byte to itself, which scripts write and nobody else. */
  reportsCapacity: 1 << 16,
} as const;

/** What a record says of a site, the counts apart. */
export interface SiteRecord {
  siteNumber: number;
  position: Position;
  revision: number;
  flags: number;
  operatorNumber: number;
  /** ISO 3166-1 alpha-2. */
  countryCode: string;
}

/** A country as the two bytes in a record, read as an u16. */
export function countryNumber(countryCode: string): number {
  return countryCode.charCodeAt(0) | (countryCode.charCodeAt(1) << 8);
}

/** Writes a record with profile 0, opening hours 0, no report and no free place; the script that files it sets all four. */
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
