import { earthRadiusM, radiansPerDegree } from "./great-circle.ts";
import type { Position } from "./position.ts";

/** A position as a point of a sphere of radius 1: distances between such points need no trigonometry. */
export type UnitPoint = readonly [x: number, y: number, z: number];

/** The point of a position. */
export function unitPoint({ latitude, longitude }: Position): UnitPoint {
  const [theta, phi] = [latitude * radiansPerDegree, longitude * radiansPerDegree];
  const across = Math.cos(theta);
  return [across * Math.cos(phi), across * Math.sin(phi), Math.sin(theta)];
}

/** Coordinates of unit points are good to some 1e-16, and so a straight line to some nanometres; this covers it a million times. In m. */
const pointSlackM = 0.01;

/**
 * The square of the straight line through a sphere of radius 1 beyond which a point is surely farther than `distanceM` along its surface:
 * the way along the surface is never shorter than the straight one.
 */
export function surelyBeyond(distanceM: number): number {
  const line = (distanceM + pointSlackM) / earthRadiusM;
  return line * line;
}
