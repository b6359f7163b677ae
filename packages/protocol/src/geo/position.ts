/** A point in degrees. */
export interface Position {
  /** Degrees north, [-90, 90]. */
  latitude: number;
  /** Degrees east, [-180, 180]. */
  longitude: number;
}

/** Positions are stored in units of 1e-7 degree: about 11 mm, and within an int32. */
export const unitsPerDegree = 1e7;

/**
 * Rounds a position to the precision of the index. Cells and distances are computed from the rounded position, so that they always agree.
 */
export function quantise({ latitude, longitude }: Position): Position {
  return {
    latitude: Math.round(latitude * unitsPerDegree) / unitsPerDegree,
    longitude: Math.round(longitude * unitsPerDegree) / unitsPerDegree,
  };
}
