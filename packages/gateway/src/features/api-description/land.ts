import { readFileSync } from "node:fs";

/** The outline of a piece of land: longitude, latitude, longitude and so on, in degrees. */
export interface LandRing {
  readonly positions: Float64Array;
  readonly west: number;
  readonly east: number;
}

let rings: readonly LandRing[] | undefined;

/**
 * The outlines of the land of the earth, to about 50 km. Made of Natural Earth 1:110,000,000, which is in the public domain: the rings of `land-110m` of the npm package
 * `world-atlas` 2.0.2, each a line of differences between positions in tenths of a degree, longitude first.
 */
export function landRings(): readonly LandRing[] {
  rings ??= readFileSync(new URL("land.txt", import.meta.url), "utf8")
    .trim()
    .split("\n")
    .map(readRing);
  return rings;
}

function readRing(line: string): LandRing {
  const tenths = line.split(" ").map(Number);
  for (let index = 2; index < tenths.length; index++) tenths[index] = (tenths[index] ?? 0) + (tenths[index - 2] ?? 0);
  const positions = Float64Array.from(tenths, (value) => value / 10);
  const longitudes = positions.filter((_, index) => index % 2 === 0);
  return { positions, west: Math.min(...longitudes), east: Math.max(...longitudes) };
}
