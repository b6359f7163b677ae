import type { Point } from "./points.ts";
import { isInPolygon, type PopulatedArea } from "./polygon.ts";

/** Points with the residents of the areas in which they lie. */
export interface WeighedPoints {
  /** The points that lie in an area, in their order. */
  readonly points: readonly Point[];
  /** How many points lie in no area, and were left out. */
  readonly outside: number;
  /** How many people live in areas without a point, and are left out. */
  readonly unplaced: number;
}

/**
 * Divides the residents of each area among the points in it, in proportion to their weights: e.g. postal codes by the census of their district. A point in several
 * areas belongs to the first.
 */
export function weighPoints(points: readonly Point[], areas: readonly PopulatedArea[]): WeighedPoints {
  const areaOf = points.map(({ longitude, latitude }) =>
    areas.findIndex(({ polygons }) => polygons.some((polygon) => isInPolygon(polygon, longitude, latitude))),
  );
  const weights = areas.map(() => 0);
  for (const [index, area] of areaOf.entries()) if (area >= 0) weights[area] = (weights[area] as number) + (points[index] as Point).weight;
  const weighed: Point[] = [];
  for (const [index, area] of areaOf.entries()) {
    const point = points[index] as Point;
    const sum = weights[area] ?? 0;
    if (area >= 0) weighed.push({ ...point, weight: sum === 0 ? 0 : (point.weight / sum) * (areas[area] as PopulatedArea).residents });
  }
  const unplaced = areas.reduce((sum, { residents }, area) => sum + (weights[area] === 0 ? residents : 0), 0);
  return { points: weighed, outside: points.length - weighed.length, unplaced };
}
