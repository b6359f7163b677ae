/** A position of GeoJSON. */
export type LngLat = readonly [longitude: number, latitude: number];

/** A closed ring: its last position is its first. */
export type Ring = readonly LngLat[];

/** A polygon: its outer ring, then its holes. */
export interface Polygon {
  readonly rings: readonly Ring[];
  readonly west: number;
  readonly east: number;
  readonly south: number;
  readonly north: number;
  /** In square degrees: for shares, not for measures. */
  readonly area: number;
}

/** An area and who lives in it. */
export interface PopulatedArea {
  /** One polygon, or the parts of a multi-polygon, which do not overlap. */
  readonly polygons: readonly Polygon[];
  readonly residents: number;
}

export function polygonOf(rings: readonly Ring[]): Polygon {
  const [outer = []] = rings;
  const bounds = { west: Infinity, east: -Infinity, south: Infinity, north: -Infinity };
  for (const [longitude, latitude] of outer) {
    bounds.west = Math.min(bounds.west, longitude);
    bounds.east = Math.max(bounds.east, longitude);
    bounds.south = Math.min(bounds.south, latitude);
    bounds.north = Math.max(bounds.north, latitude);
  }
  const [whole = 0, ...holes] = rings.map(areaOfRing);
  return { rings, ...bounds, area: whole - holes.reduce((sum, hole) => sum + hole, 0) };
}

/** By the shoelace formula, from the first position, so that nothing cancels. */
function areaOfRing(ring: Ring): number {
  const [x0, y0] = ring[0] ?? [0, 0];
  let twice = 0;
  for (let index = 1; index < ring.length; index++) {
    const [x1, y1] = ring[index - 1] as LngLat;
    const [x2, y2] = ring[index] as LngLat;
    twice += (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0);
  }
  return Math.abs(twice) / 2;
}

/** Whether a point is in a polygon, by the even-odd rule over all of its rings. A point on the border may be either. */
export function isInPolygon({ rings, west, east, south, north }: Polygon, longitude: number, latitude: number): boolean {
  if (longitude < west || longitude > east || latitude < south || latitude > north) return false;
  let isInside = false;
  for (const ring of rings) {
    for (let index = 1; index < ring.length; index++) {
      const [x1, y1] = ring[index - 1] as LngLat;
      const [x2, y2] = ring[index] as LngLat;
      if (y1 > latitude !== y2 > latitude && longitude < x1 + ((latitude - y1) / (y2 - y1)) * (x2 - x1)) isInside = !isInside;
    }
  }
  return isInside;
}
