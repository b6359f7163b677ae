import type { Region } from "@petak/protocol";
import { type Position, radiansPerDegree, unitsPerDegree } from "@petak/protocol/geo";
import type { SiteIds } from "@petak/redis";
import { unitPoint } from "../geo/unit-point.ts";
import type { Observation } from "./observation.ts";
import {
  countryOffset,
  flagsOffset,
  freeOffset,
  maxSizeClasses,
  observedAtOffset,
  openingHoursOffset,
  openingHoursUpperOffset,
  operatorOffset,
  profileOffset,
  profileUpperOffset,
  recordBytes,
  revisionOffset,
  ttlOffset,
} from "./record.ts";

/**
 * Numbers per site in {@link DecodedBlock.coordinates}: x, y and z on the unit sphere, latitude and longitude in degrees, and the cosine of
 * the latitude.
 */
export const coordinatesPerSite = 6;

/** Items of a region's list. */
export interface LookedUp {
  readonly version: number;
  readonly items: readonly unknown[];
}

/**
 * A block decoded for repeated scans. The fields that exclude most sites are stored in one array per field, and summaries over the block
 * allow a scan to skip all of it. Decoded once when the block is read, then updated in place by the changes that this process makes itself.
 */
export class DecodedBlock {
  /** The block's own bytes. */
  readonly bytes: Buffer;
  /** Number of sites. */
  readonly count: number;
  readonly flags: Int32Array;
  /** Union of all sites' flags. */
  readonly someFlags: number;
  /** Intersection of all sites' flags. */
  readonly allFlags: number;
  /** Positions of the sites, {@link coordinatesPerSite} numbers each. */
  readonly coordinates: Float64Array;
  /** Distinct size profile numbers of the sites. */
  readonly profileNumbers: readonly number[];
  /** For each site, the index of its profile in {@link profileNumbers}. */
  readonly profileIndexes: Uint16Array;
  /** For each of those profiles, the size classes with a free place at any of its sites: one bit each, the lowest for the first class. */
  readonly freeOfProfile: number[];
  /** For each site, the size classes with a free place: one bit each. */
  readonly free: Uint8Array;
  /** Distinct countries of the sites. */
  readonly countries: readonly number[];
  /** Distinct opening hours numbers of the sites. */
  readonly hoursNumbers: readonly number[];
  /** What {@link profileNumbers} mean, in the same order, as a scan found it in one version of the region's list. */
  lookedUp: LookedUp | undefined;
  readonly #ids: Pick<SiteIds, "format">;
  #siteIds: (string | undefined)[] | undefined;

  /** Decodes a block. An incomplete record at its end is ignored. */
  constructor(bytes: Buffer, ids: Pick<SiteIds, "format">) {
    const count = Math.floor(bytes.length / recordBytes);
    const profileNumbers: number[] = [];
    const freeOfProfile: number[] = [];
    const countries: number[] = [];
    const hoursNumbers: number[] = [];
    this.#ids = ids;
    this.bytes = bytes;
    this.count = count;
    this.flags = new Int32Array(count);
    this.coordinates = new Float64Array(coordinatesPerSite * count);
    this.profileIndexes = new Uint16Array(count);
    this.free = new Uint8Array(count);
    let someFlags = 0;
    let allFlags = -1;
    for (let index = 0; index < count; index++) {
      const offset = index * recordBytes;
      const flags = bytes.readInt32LE(offset + flagsOffset);
      this.flags[index] = flags;
      someFlags |= flags;
      allFlags &= flags;
      const free = freeClasses(bytes, offset);
      this.free[index] = free;
      const slot = indexIn(profileNumbers, profileAt(bytes, offset));
      this.profileIndexes[index] = slot;
      freeOfProfile[slot] = (freeOfProfile[slot] ?? 0) | free;
      indexIn(countries, bytes.readUInt16LE(offset + countryOffset));
      indexIn(hoursNumbers, hoursAt(bytes, offset));
      const position = positionAt(bytes, offset);
      const at = index * coordinatesPerSite;
      const [x, y, z] = unitPoint(position);
      this.coordinates[at] = x;
      this.coordinates[at + 1] = y;
      this.coordinates[at + 2] = z;
      this.coordinates[at + 3] = position.latitude;
      this.coordinates[at + 4] = position.longitude;
      this.coordinates[at + 5] = Math.cos(position.latitude * radiansPerDegree);
    }
    this.someFlags = someFlags;
    this.allFlags = allFlags;
    this.profileNumbers = profileNumbers;
    this.freeOfProfile = freeOfProfile;
    this.countries = countries;
    this.hoursNumbers = hoursNumbers;
  }

  siteNumber(index: number): number {
    return this.bytes.readUInt32LE(index * recordBytes);
  }

  /** The id of a site. Formatted on first use and kept: most sites of a block are never in a result, the others often. */
  siteId(index: number, region: Region): string {
    this.#siteIds ??= new Array<string | undefined>(this.count).fill(undefined);
    let id = this.#siteIds[index];
    if (id === undefined) {
      id = this.#ids.format(region, this.siteNumber(index));
      this.#siteIds[index] = id;
    }
    return id;
  }

  position(index: number): Position {
    return positionAt(this.bytes, index * recordBytes);
  }

  revision(index: number): number {
    return this.bytes.readUInt32LE(index * recordBytes + revisionOffset);
  }

  operatorNumber(index: number): number {
    return this.bytes.readUInt16LE(index * recordBytes + operatorOffset);
  }

  profileNumber(index: number): number {
    return this.profileNumbers[this.profileIndexes[index] as number] as number;
  }

  country(index: number): number {
    return this.bytes.readUInt16LE(index * recordBytes + countryOffset);
  }

  hoursNumber(index: number): number {
    return hoursAt(this.bytes, index * recordBytes);
  }

  /** When a site's counts were last reported; undefined if the gateway's own counts apply. */
  observation(index: number): Observation | undefined {
    const offset = index * recordBytes;
    const observedAtS = this.bytes.readUInt32LE(offset + observedAtOffset);
    if (observedAtS === 0) return undefined;
    return { observedAtMs: observedAtS * 1000, ttlMs: this.bytes.readUInt16LE(offset + ttlOffset) * 1000 };
  }

  /** The index of a site whose record begins at `offset` in bytes; undefined if another record or none begins there. */
  indexAt(offset: number, siteNumber: number): number | undefined {
    const index = offset / recordBytes;
    const isThere = Number.isInteger(index) && index >= 0 && index < this.count;
    return isThere && this.siteNumber(index) === siteNumber ? index : undefined;
  }

  /** Sets the number of free places of a size class. */
  setFreePlaces(index: number, classIndex: number, free: number): void {
    this.bytes[index * recordBytes + freeOffset + classIndex] = free;
    const classes = freeClasses(this.bytes, index * recordBytes);
    if (classes === this.free[index]) return;
    this.free[index] = classes;
    const slot = this.profileIndexes[index] as number;
    let ofSlot = 0;
    for (let other = 0; other < this.count; other++) if (this.profileIndexes[other] === slot) ofSlot |= this.free[other] as number;
    this.freeOfProfile[slot] = ofSlot;
  }

  /** Free to promise of a size class; 255 means 255 or more. */
  freePlaces(index: number, classIndex: number): number {
    return this.bytes[index * recordBytes + freeOffset + classIndex] ?? 0;
  }
}

/** The index of a number in a short list; appends it if missing. */
function indexIn(list: number[], number: number): number {
  const place = list.indexOf(number);
  return place < 0 ? list.push(number) - 1 : place;
}

function freeClasses(bytes: Buffer, offset: number): number {
  let classes = 0;
  for (let index = 0; index < maxSizeClasses; index++) {
    if (bytes[offset + freeOffset + index] !== 0) classes |= 1 << index;
  }
  return classes;
}

function profileAt(bytes: Buffer, offset: number): number {
  return bytes.readUInt16LE(offset + profileOffset) | (bytes.readUInt8(offset + profileUpperOffset) << 16);
}

function hoursAt(bytes: Buffer, offset: number): number {
  return bytes.readUInt16LE(offset + openingHoursOffset) | (bytes.readUInt8(offset + openingHoursUpperOffset) << 16);
}

function positionAt(bytes: Buffer, offset: number): Position {
  return { latitude: bytes.readInt32LE(offset + 4) / unitsPerDegree, longitude: bytes.readInt32LE(offset + 8) / unitsPerDegree };
}
