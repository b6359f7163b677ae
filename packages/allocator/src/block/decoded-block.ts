import type { Region } from "@petak/protocol";
import type { SiteIds } from "@petak/redis";
import { radiansPerDegree } from "../geo/great-circle.ts";
import { type Position, unitsPerDegree } from "../geo/position.ts";
import { unitPoint } from "../geo/unit-point.ts";
import type { Observation } from "./observation.ts";
import {
  countryOffset,
  flagsOffset,
  freeOffset,
  maxSizeClasses,
  observedAtOffset,
  openingHoursOffset,
  operatorOffset,
  profileOffset,
  recordBytes,
  revisionOffset,
  ttlOffset,
} from "./record.ts";

/** Numbers of a site in {@link DecodedBlock.places}: x, y and z on a sphere of radius 1, latitude, longitude, and the latitude's cosine. */
export const placeNumbers = 6;

/**
 * A block taken apart for the many queries that scan it: what most sites are passed over for stands field by field, and what no site of
 * the block has is known without looking at any. Made once when a block is read, and
 * amended where this process knows what it has become.
 */
export class DecodedBlock {
  /** The block itself. */
  readonly bytes: Buffer;
  /** How many sites it has. */
  readonly count: number;
  readonly flags: Int32Array;
  /** The flags that any of its sites has, and those that all of them have. */
  readonly someFlags: number;
  readonly allFlags: number;
  /** Where each site is, {@link placeNumbers} a site. */
  readonly places: Float64Array;
  /** The size profiles of its sites, each once. */
  readonly profileNumbers: readonly number[];
  /** The place of each site's profile among those. */
  readonly profileSlots: Uint16Array;
  /** For each of those profiles, the classes that any of its sites has free: a bit each, the lowest for the first class. */
  readonly freeOfSlot: number[];
  /** The classes that each site has free. */
  readonly free: Uint8Array;
  /** The countries of its sites, each once. */
  readonly countries: readonly number[];
  /** The numbers of the opening hours of its sites, each once. */
  readonly hoursNumbers: readonly number[];
  readonly #ids: Pick<SiteIds, "format">;
  #siteIds: (string | undefined)[] | undefined;

  /** Takes a block apart. What is cut off at its end is left out. */
  constructor(bytes: Buffer, ids: Pick<SiteIds, "format">) {
    const count = Math.floor(bytes.length / recordBytes);
    const profileNumbers: number[] = [];
    const freeOfSlot: number[] = [];
    const countries: number[] = [];
    const hoursNumbers: number[] = [];
    this.#ids = ids;
    this.bytes = bytes;
    this.count = count;
    this.flags = new Int32Array(count);
    this.places = new Float64Array(placeNumbers * count);
    this.profileSlots = new Uint16Array(count);
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
      const slot = placeOf(profileNumbers, bytes.readUInt16LE(offset + profileOffset));
      this.profileSlots[index] = slot;
      freeOfSlot[slot] = (freeOfSlot[slot] ?? 0) | free;
      placeOf(countries, bytes.readUInt16LE(offset + countryOffset));
      placeOf(hoursNumbers, bytes.readUInt16LE(offset + openingHoursOffset));
      const position = positionAt(bytes, offset);
      const at = index * placeNumbers;
      const [x, y, z] = unitPoint(position);
      this.places[at] = x;
      this.places[at + 1] = y;
      this.places[at + 2] = z;
      this.places[at + 3] = position.latitude;
      this.places[at + 4] = position.longitude;
      this.places[at + 5] = Math.cos(position.latitude * radiansPerDegree);
    }
    this.someFlags = someFlags;
    this.allFlags = allFlags;
    this.profileNumbers = profileNumbers;
    this.freeOfSlot = freeOfSlot;
    this.countries = countries;
    this.hoursNumbers = hoursNumbers;
  }

  siteNumber(index: number): number {
    return this.bytes.readUInt32LE(index * recordBytes);
  }

  /** The id of a site. Most sites of a block are never in an answer, and those that are often are again. */
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
    return this.profileNumbers[this.profileSlots[index] as number] as number;
  }

  country(index: number): number {
    return this.bytes.readUInt16LE(index * recordBytes + countryOffset);
  }

  hoursNumber(index: number): number {
    return this.bytes.readUInt16LE(index * recordBytes + openingHoursOffset);
  }

  /** When a site's counts were observed; undefined where they are the gateway's own. */
  observation(index: number): Observation | undefined {
    const offset = index * recordBytes;
    const observedAtS = this.bytes.readUInt32LE(offset + observedAtOffset);
    if (observedAtS === 0) return undefined;
    return { observedAtMs: observedAtS * 1000, ttlMs: this.bytes.readUInt16LE(offset + ttlOffset) * 1000 };
  }

  /** The place of a site whose record begins at an offset; undefined where another's does, or none. */
  indexAt(offset: number, siteNumber: number): number | undefined {
    const index = offset / recordBytes;
    const isThere = Number.isInteger(index) && index >= 0 && index < this.count;
    return isThere && this.siteNumber(index) === siteNumber ? index : undefined;
  }

  /** Makes it the block with another number of free places of a size class. */
  setFreePlaces(index: number, classIndex: number, free: number): void {
    this.bytes[index * recordBytes + freeOffset + classIndex] = free;
    const classes = freeClasses(this.bytes, index * recordBytes);
    if (classes === this.free[index]) return;
    this.free[index] = classes;
    const slot = this.profileSlots[index] as number;
    let ofSlot = 0;
    for (let other = 0; other < this.count; other++) if (this.profileSlots[other] === slot) ofSlot |= this.free[other] as number;
    this.freeOfSlot[slot] = ofSlot;
  }

  /** Free to promise of a size class, 255 meaning 255 or more. */
  freePlaces(index: number, classIndex: number): number {
    return this.bytes[index * recordBytes + freeOffset + classIndex] ?? 0;
  }
}

/** The index of a number in a short list, to which it is added where it is not there. */
function placeOf(list: number[], number: number): number {
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

function positionAt(bytes: Buffer, offset: number): Position {
  return { latitude: bytes.readInt32LE(offset + 4) / unitsPerDegree, longitude: bytes.readInt32LE(offset + 8) / unitsPerDegree };
}
