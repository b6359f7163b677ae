/** The places of one size class at a site. */
export interface ClassCount {
  /** Places built in. */
  installed: number;
  /** Places that work. */
  inService: number;
  /** Places with a parcel of this network inside. */
  occupied: number;
  /** Places promised to reservations whose parcel is not inside yet. */
  held: number;
  /** Places with something else inside, as the site's last report says; 0 where it reports nothing. */
  occupiedByOthers: number;
}

/**
 * Four u16 and an i16 for each size class, little-endian, in the order of {@link ClassCount}. lua/includes/site-index.lua reads and writes the
 * same. The last is what the report counted beyond our own: below 0 where parcels of ours were gone that are not recorded as collected yet.
 */
export const classCountBytes = 10;

/** Reads the counts of a site's size classes. */
export function decodeClassCounts(bytes: Buffer): ClassCount[] {
  const counts: ClassCount[] = [];
  for (let offset = 0; offset < bytes.length; offset += classCountBytes) {
    counts.push({
      installed: bytes.readUInt16LE(offset),
      inService: bytes.readUInt16LE(offset + 2),
      occupied: bytes.readUInt16LE(offset + 4),
      held: bytes.readUInt16LE(offset + 6),
      occupiedByOthers: Math.max(0, bytes.readInt16LE(offset + 8)),
    });
  }
  return counts;
}

/** The only number that may be offered: in service − occupied − held − occupied elsewhere, never below 0. */
export function freeToPromise({ inService, occupied, held, occupiedByOthers }: ClassCount): number {
  return Math.max(0, inService - occupied - held - occupiedByOthers);
}
