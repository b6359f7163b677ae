import { maxSizeClasses } from "./record.ts";

/** What one size class is like. */
export interface SizeClassFacts {
  widthMm: number;
  heightMm: number;
  depthMm: number;
  maxMassG: number;
  /** Heights above the ground of the centres of its lowest and its highest place. 0: not known. */
  lowestCentreHeightMm: number;
  highestCentreHeightMm: number;
  refrigerated: boolean;
}

/** The outer measures of a parcel. */
export interface ParcelMeasures {
  widthMm: number;
  heightMm: number;
  depthMm: number;
  massG: number;
}

/** What is asked of a place beside its size. */
export interface PlaceNeeds {
  refrigerated: boolean;
  /** Least and greatest height of the compartment's centre above the ground. 0: no limit. */
  minCentreHeightMm: number;
  maxCentreHeightMm: number;
}

const classBytes = 15;

/** Writes the facts of a site's size classes, in their order. Equal sites of a region share one profile. */
export function encodeSizeProfile(classes: readonly SizeClassFacts[]): Buffer {
  if (classes.length > maxSizeClasses) throw new RangeError(`${classes.length} size classes, at most ${maxSizeClasses}`);
  const bytes = Buffer.alloc(classes.length * classBytes);
  classes.forEach((place, index) => {
    const offset = index * classBytes;
    bytes.writeUInt16LE(place.widthMm, offset);
    bytes.writeUInt16LE(place.heightMm, offset + 2);
    bytes.writeUInt16LE(place.depthMm, offset + 4);
    bytes.writeUInt32LE(place.maxMassG, offset + 6);
    bytes.writeUInt16LE(place.lowestCentreHeightMm, offset + 10);
    bytes.writeUInt16LE(place.highestCentreHeightMm, offset + 12);
    bytes.writeUInt8(place.refrigerated ? 1 : 0, offset + 14);
  });
  return bytes;
}

/** Reads what {@link encodeSizeProfile} wrote. */
export function decodeSizeProfile(bytes: Buffer): SizeClassFacts[] {
  const classes: SizeClassFacts[] = [];
  for (let offset = 0; offset < bytes.length; offset += classBytes) {
    classes.push({
      widthMm: bytes.readUInt16LE(offset),
      heightMm: bytes.readUInt16LE(offset + 2),
      depthMm: bytes.readUInt16LE(offset + 4),
      maxMassG: bytes.readUInt32LE(offset + 6),
      lowestCentreHeightMm: bytes.readUInt16LE(offset + 10),
      highestCentreHeightMm: bytes.readUInt16LE(offset + 12),
      refrigerated: bytes.readUInt8(offset + 14) === 1,
    });
  }
  return classes;
}

/** Whether a parcel fits, in any rotation that keeps its sides parallel to the walls, and is light enough. */
export function parcelFits(parcel: ParcelMeasures, place: Pick<SizeClassFacts, "widthMm" | "heightMm" | "depthMm" | "maxMassG">): boolean {
  return (
    parcel.massG <= place.maxMassG &&
    shortestMm(parcel) <= shortestMm(place) &&
    middleMm(parcel) <= middleMm(place) &&
    longestMm(parcel) <= longestMm(place)
  );
}

/**
 * Whether every place of a class is at the height asked for. A hold is of a class and the door opens later, so the whole range of the class
 * must lie within what was asked; an end that is not known meets no limit on its side.
 */
export function isAtHeight(
  { minCentreHeightMm, maxCentreHeightMm }: PlaceNeeds,
  { lowestCentreHeightMm, highestCentreHeightMm }: SizeClassFacts,
): boolean {
  const isHighEnough = minCentreHeightMm === 0 || lowestCentreHeightMm >= minCentreHeightMm;
  const isLowEnough = maxCentreHeightMm === 0 || (highestCentreHeightMm > 0 && highestCentreHeightMm <= maxCentreHeightMm);
  return isHighEnough && isLowEnough;
}

/** The indexes of the size classes that a parcel fits and that are as asked, smallest volume first, then in the site's order. */
export function fittingClasses(parcel: ParcelMeasures, classes: readonly SizeClassFacts[], needs?: PlaceNeeds): number[] {
  const fitting = fittingMask(parcel, classes, needs);
  return volumeOrder(classes).filter((index) => (fitting & (1 << index)) !== 0);
}

/** The size classes that a parcel fits and that are as asked: a bit each, the lowest for the first class. */
export function fittingMask(parcel: ParcelMeasures, classes: readonly SizeClassFacts[], needs?: PlaceNeeds): number {
  let fitting = 0;
  for (let index = 0; index < classes.length; index++) {
    const place = classes[index] as SizeClassFacts;
    if (parcelFits(parcel, place) && (needs === undefined || isAsAsked(needs, place))) fitting |= 1 << index;
  }
  return fitting;
}

/** The indexes of size classes, smallest volume first, then in their order. */
export function volumeOrder(classes: readonly SizeClassFacts[]): number[] {
  return classes
    .map(({ widthMm, heightMm, depthMm }, index) => ({ index, volume: widthMm * heightMm * depthMm }))
    .sort((a, b) => a.volume - b.volume || a.index - b.index)
    .map(({ index }) => index);
}

function isAsAsked(needs: PlaceNeeds, place: SizeClassFacts): boolean {
  return (!needs.refrigerated || place.refrigerated) && isAtHeight(needs, place);
}

interface Sides {
  widthMm: number;
  heightMm: number;
  depthMm: number;
}

function shortestMm({ widthMm, heightMm, depthMm }: Sides): number {
  return Math.min(widthMm, heightMm, depthMm);
}

function middleMm({ widthMm, heightMm, depthMm }: Sides): number {
  return Math.max(Math.min(widthMm, heightMm), Math.min(Math.max(widthMm, heightMm), depthMm));
}

function longestMm({ widthMm, heightMm, depthMm }: Sides): number {
  return Math.max(widthMm, heightMm, depthMm);
}
