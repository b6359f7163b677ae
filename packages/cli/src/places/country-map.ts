import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

export interface CountryMap {
  /** Whether a point is on a country's land. False for countries that the map does not have. */
  isOnLand(countryCode: string, latitude: number, longitude: number): boolean;
}

type Point = readonly [longitude: number, latitude: number];

interface Ring {
  points: Point[];
  west: number;
  east: number;
  south: number;
  north: number;
}

interface Geometry {
  id?: string;
  type: "Polygon" | "MultiPolygon";
  arcs: number[][] | number[][][];
}

interface Topology {
  arcs: [number, number][][];
  transform: { scale: [number, number]; translate: [number, number] };
  objects: { countries: { geometries: Geometry[] } };
}

/** ISO 3166-1 numeric codes, which the map uses. */
const numericCodes: Record<string, string> = {
  BN: "096",
  ID: "360",
  KH: "116",
  LA: "418",
  MM: "104",
  MY: "458",
  PH: "608",
  SG: "702",
  TH: "764",
  TL: "626",
  VN: "704",
};

/**
 * The map of South-East Asia's countries from Natural Earth, 1:10,000,000 (public domain, by way of the npm package world-atlas).
 *
 * Coasts are accurate to about a kilometre, and smaller islands are missing. Good enough to keep random points off the sea, not to decide borders.
 */
export function readCountryMap(): CountryMap {
  const file = createRequire(import.meta.url).resolve("world-atlas/countries-10m.json");
  const topology = JSON.parse(readFileSync(file, "utf8")) as Topology;
  const rings = new Map<string, Ring[]>();
  for (const [countryCode, numericCode] of Object.entries(numericCodes)) {
    const geometry = topology.objects.countries.geometries.find(({ id }) => id === numericCode);
    if (geometry !== undefined) rings.set(countryCode, ringsOf(geometry, topology));
  }
  return {
    isOnLand: (countryCode, latitude, longitude) => isInside(rings.get(countryCode) ?? [], latitude, longitude),
  };
}

function ringsOf(geometry: Geometry, topology: Topology): Ring[] {
  const polygons = geometry.type === "Polygon" ? [geometry.arcs as number[][]] : (geometry.arcs as number[][][]);
  return polygons.flat().map((arcs) => {
    const points = arcs.flatMap((arc) => decodeArc(arc, topology));
    const longitudes = points.map(([longitude]) => longitude);
    const latitudes = points.map(([, latitude]) => latitude);
    return {
      points,
      west: Math.min(...longitudes),
      east: Math.max(...longitudes),
      south: Math.min(...latitudes),
      north: Math.max(...latitudes),
    };
  });
}

/** An arc is a list of differences on a grid; a negative index (the complement) means the reversed arc. */
function decodeArc(number: number, { arcs, transform: { scale, translate } }: Topology): Point[] {
  let x = 0;
  let y = 0;
  const points = (arcs[number < 0 ? ~number : number] ?? []).map(([dx, dy]): Point => {
    x += dx;
    y += dy;
    return [x * scale[0] + translate[0], y * scale[1] + translate[1]];
  });
  return number < 0 ? points.reverse() : points;
}

/** Even-odd rule over all rings at once, which handles holes and islands alike. */
function isInside(rings: readonly Ring[], latitude: number, longitude: number): boolean {
  let inside = false;
  for (const { points, west, east, south, north } of rings) {
    if (longitude < west || longitude > east || latitude < south || latitude > north) continue;
    let [previousX, previousY] = points.at(-1) ?? [0, 0];
    for (const [x, y] of points) {
      if (y > latitude !== previousY > latitude) {
        const crossing = x + ((latitude - y) / (previousY - y)) * (previousX - x);
        if (longitude < crossing) inside = !inside;
      }
      previousX = x;
      previousY = y;
    }
  }
  return inside;
}
