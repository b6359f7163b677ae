import { maxSizeClasses } from "./record.ts";

/** The measures of one size class. */
export interface SizeClassMeasures {
  widthMm: number;
  heightMm: number;
  depthMm: number;
  maxMassG: number;
}

/** The outer measures of a parcel. */
export interface ParcelMeasures {
  widthMm: number;
  heightMm: number;
  depthMm: number;
  massG: number;
}

const classBytes = 10;

/** Writes the measures of a site's size classes, in their order. Equal sites of a region share one profile. */
export function encodeSizeProfile(classes: readonly SizeClassMeasures[]): Buffer {
  if (classes.length > maxSizeClasses) throw new RangeError(`${classes.length} size classes, at most ${maxSizeClasses}`);
  const bytes = Buffer.alloc(classes.length * classBytes);
  classes.forEach(({ widthMm, heightMm, depthMm, maxMassG }, index) => {
    bytes.writeUInt16LE(widthMm, index * classBytes);
    bytes.writeUInt16LE(heightMm, index * classBytes + 2);
    bytes.writeUInt16LE(depthMm, index * classBytes + 4);
    bytes.writeUInt32LE(maxMassG, index * classBytes + 6);
  });
  return bytes;
}

/** Reads what {@link encodeSizeProfile} wrote. */
export function decodeSizeProfile(bytes: Buffer): SizeClassMeasures[] {
  const classes: SizeClassMeasures[] = [];
  for (let offset = 0; offset < bytes.length; offset += classBytes) {
    classes.push({
      widthMm: bytes.readUInt16LE(offset),
      heightMm: bytes.readUInt16LE(offset + 2),
      depthMm: bytes.readUInt16LE(offset + 4),
      maxMassG: bytes.readUInt32LE(offset + 6),
    });
  }
  return classes;
}

/** Whether a parcel fits, in any rotation that keeps its sides parallel to the walls, and is light enough. */
export function parcelFits(parcel: ParcelMeasures, place: SizeClassMeasures): boolean {
  if (parcel.massG > place.maxMassG) return false;
  const [parcelShort = 0, parcelMiddle = 0, parcelLong = 0] = sortedSides(parcel);
  const [placeShort = 0, placeMiddle = 0, placeLong = 0] = sortedSides(place);
  return parcelShort <= placeShort && parcelMiddle <= placeMiddle && parcelLong <= placeLong;
}

/** The indexes of the size classes that a parcel fits, smallest volume first, then in the site's order. */
export function fittingClasses(parcel: ParcelMeasures, classes: readonly SizeClassMeasures[]): number[] {
  return classes
    .map((place, index) => ({ index, volume: place.widthMm * place.heightMm * place.depthMm, fits: parcelFits(parcel, place) }))
    .filter(({ fits }) => fits)
    .sort((a, b) => a.volume - b.volume || a.index - b.index)
    .map(({ index }) => index);
}

function sortedSides({ widthMm, heightMm, depthMm }: { widthMm: number; heightMm: number; depthMm: number }): number[] {
  return [widthMm, heightMm, depthMm].sort((a, b) => a - b);
}
