/** A point in degrees. */
export interface Position {
  /** Degrees north, [-90, 90]. */
  latitude: number;
  /** Degrees east, [-180, 180]. */
  longitude: number;
}

/** Positions are kept in units of 1e-7 degree: about 11 mm, and an int32 holds them. */
export const unitsPerDegree = 1e7;

/** The position as the index keeps it. Cell and distance are computed from this one, so that they never disagree. */
export function quantise({ latitude, longitude }: Position): Position {
  return {
    latitude: Math.round(latitude * unitsPerDegree) / unitsPerDegree,
    longitude: Math.round(longitude * unitsPerDegree) / unitsPerDegree,
  };
}
