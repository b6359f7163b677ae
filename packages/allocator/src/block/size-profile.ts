import { maxSizeClasses } from "./record.ts";

/** Measures and equipment of one size class. */
export interface SizeClassFacts {
  widthMm: number;
  heightMm: number;
  depthMm: number;
  maxMassG: number;
  /** Heights above the ground of the centres of its lowest and highest place. 0: unknown. */
  lowestCentreHeightMm: number;
  highestCentreHeightMm: number;
  refrigerated: boolean;
}

/** Outer measures and mass of a parcel. */
export interface ParcelMeasures {
  widthMm: number;
  heightMm: number;
  depthMm: number;
  massG: number;
}

/** Requirements on a place other than its size. */
export interface PlaceNeeds {
  refrigerated: boolean;
  /** Least and greatest height above the ground of the compartment's centre. 0: no limit. */
  minCentreHeightMm: number;
  maxCentreHeightMm: number;
}

const classBytes = 15;

/**
 * Encodes the size classes of a site, in order. Sites of a region with equal size classes share one profile.
 *
 * @throws RangeError for more than {@link maxSizeClasses}.
 */
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

/** Decodes the result of {@link encodeSizeProfile}. */
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

/** Whether a parcel fits in some axis-parallel rotation and is light enough. */
export function parcelFits(parcel: ParcelMeasures, place: Pick<SizeClassFacts, "widthMm" | "heightMm" | "depthMm" | "maxMassG">): boolean {
  return (
    parcel.massG <= place.maxMassG &&
    shortestMm(parcel) <= shortestMm(place) &&
    middleMm(parcel) <= middleMm(place) &&
    longestMm(parcel) <= longestMm(place)
  );
}

/**
 * Whether every place of a class is at the required height. A soft hold is on a class and the compartment is chosen later, so the whole
 * range of the class must be within the limits. An unknown end of the range never meets a limit on its side.
 */
export function isAtHeight(
  { minCentreHeightMm, maxCentreHeightMm }: PlaceNeeds,
  { lowestCentreHeightMm, highestCentreHeightMm }: SizeClassFacts,
): boolean {
  const isHighEnough = minCentreHeightMm === 0 || lowestCentreHeightMm >= minCentreHeightMm;
  const isLowEnough = maxCentreHeightMm === 0 || (highestCentreHeightMm > 0 && highestCentreHeightMm <= maxCentreHeightMm);
  return isHighEnough && isLowEnough;
}

/** Indexes of the size classes that fit a parcel and meet its needs, smallest volume first, equal volumes in the site's order. */
export function fittingClasses(parcel: ParcelMeasures, classes: readonly SizeClassFacts[], needs?: PlaceNeeds): number[] {
  const fitting = fittingMask(parcel, classes, needs);
  return volumeOrder(classes).filter((index) => (fitting & (1 << index)) !== 0);
}

/** The size classes that fit a parcel and meet its needs: one bit each, the lowest for the first class. */
export function fittingMask(parcel: ParcelMeasures, classes: readonly SizeClassFacts[], needs?: PlaceNeeds): number {
  let fitting = 0;
  for (let index = 0; index < classes.length; index++) {
    const place = classes[index] as SizeClassFacts;
    if (parcelFits(parcel, place) && (needs === undefined || isAsAsked(needs, place))) fitting |= 1 << index;
  }
  return fitting;
}

/** Indexes of size classes, smallest volume first, equal volumes in their order. */
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
