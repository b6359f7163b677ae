import type { Position } from "./position.ts";

/** Mean radius of the Earth in m (IUGG R1). */
export const earthRadiusM = 6371008.8;

const radiansPerDegree = Math.PI / 180;

/**
 * Great-circle distance in m on a sphere of radius {@link earthRadiusM}, by the haversine formula, which keeps its precision for
 * small distances (R. W. Sinnott, "Virtues of the Haversine", Sky and Telescope 68, 1984).
 */
export function greatCircleM(a: Position, b: Position): number {
  const halfLatitude = ((b.latitude - a.latitude) * radiansPerDegree) / 2;
  const halfLongitude = ((b.longitude - a.longitude) * radiansPerDegree) / 2;
  const h =
    Math.sin(halfLatitude) ** 2 +
    Math.cos(a.latitude * radiansPerDegree) * Math.cos(b.latitude * radiansPerDegree) * Math.sin(halfLongitude) ** 2;
  return 2 * earthRadiusM * Math.asin(Math.min(1, Math.sqrt(h)));
}
