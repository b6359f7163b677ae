import { earthRadiusM, type Position, radiansPerDegree } from "@petak/protocol/geo";

/** A position on the unit sphere. Comparing distances between such points needs no trigonometry. */
export type UnitPoint = readonly [x: number, y: number, z: number];

/** Converts a position. */
export function unitPoint({ latitude, longitude }: Position): UnitPoint {
  const [theta, phi] = [latitude * radiansPerDegree, longitude * radiansPerDegree];
  const across = Math.cos(theta);
  return [across * Math.cos(phi), across * Math.sin(phi), Math.sin(theta)];
}

/** Tolerance in m. Coordinates are accurate to some 1e-16, so chords to some nanometres; this is far greater. */
const pointSlackM = 0.01;

/**
 * The square of a chord length on the unit sphere. Points farther apart than that are farther than `distanceM` along the surface, because
 * an arc is never shorter than its chord.
 */
export function squaredChordBound(distanceM: number): number {
  const line = (distanceM + pointSlackM) / earthRadiusM;
  return line * line;
}
