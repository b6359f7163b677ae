import type { Position } from "./position.ts";

/** Mean radius of the Earth in m (IUGG R1). */
export const earthRadiusM = 6371008.8;

export const radiansPerDegree = Math.PI / 180;

/**
 * Great-circle distance in m on a sphere of radius {@link earthRadiusM}, by the haversine formula, which is accurate for small distances
 * (R. W. Sinnott, "Virtues of the Haversine", Sky and Telescope 68, 1984).
 */
export function greatCircleM(a: Position, b: Position): number {
  const cosineA = Math.cos(a.latitude * radiansPerDegree);
  const cosineB = Math.cos(b.latitude * radiansPerDegree);
  return greatCircleByCosinesM(a.latitude, a.longitude, cosineA, b.latitude, b.longitude, cosineB);
}

/** A distance in m as answers state it: to the centimetre. Positions are no finer, and further digits would suggest that they are. */
export function toCentimetre(distanceM: number): number {
  return Math.round(distanceM * 100) / 100;
}

/** {@link greatCircleM} of positions in degrees with precomputed cosines of their latitudes. The results are identical to the last bit. */
export function greatCircleByCosinesM(
  latitudeA: number,
  longitudeA: number,
  cosineA: number,
  latitudeB: number,
  longitudeB: number,
  cosineB: number,
): number {
  const sineOfHalfLatitude = Math.sin(((latitudeB - latitudeA) * radiansPerDegree) / 2);
  const sineOfHalfLongitude = Math.sin(((longitudeB - longitudeA) * radiansPerDegree) / 2);
  const h = sineOfHalfLatitude * sineOfHalfLatitude + cosineA * cosineB * sineOfHalfLongitude * sineOfHalfLongitude;
  return 2 * earthRadiusM * Math.asin(Math.min(1, Math.sqrt(h)));
}
