import { InputError, type InputPlace, show } from "../input/input-error.ts";
import { asRecord } from "../input/json.ts";
import { type LngLat, type Polygon, type PopulatedArea, polygonOf, type Ring } from "./polygon.ts";

/** A feature of a GeoJSON file, as its reader gives it. */
export interface Feature {
  /** The line on which it begins, from 1. */
  readonly line: number;
  readonly value: unknown;
}

/** Least share of a polygon in its bounding box: thinner ones take too many draws for each point inside. */
const leastShare = 1e-4;

/**
 * Reads populated areas from GeoJSON (RFC 7946): polygons and multi-polygons, holes included.
 *
 * @param property the one that holds the number of residents
 * @throws InputError at the first feature that cannot be used, or if nobody lives in any.
 */
export async function readPolygons(
  features: AsyncIterable<Feature> | Iterable<Feature>,
  file: string,
  property: string,
): Promise<PopulatedArea[]> {
  const areas: PopulatedArea[] = [];
  for await (const { line, value } of features) areas.push(readArea(value, { file, line }, property));
  if (!areas.some(({ residents }) => residents > 0)) throw new InputError({ file, field: property }, "nobody lives in any of the polygons");
  return areas;
}

function readArea(value: unknown, place: InputPlace, property: string): PopulatedArea {
  const feature = asRecord(value);
  const properties = asRecord(feature?.properties) ?? {};
  const residents = properties[property];
  const at = { ...place, field: property };
  if (residents === undefined)
    throw new InputError(at, `the feature has no such property; it has ${Object.keys(properties).join(", ") || "none"}`);
  if (typeof residents !== "number" || !(residents >= 0))
    throw new InputError(at, `${show(residents)} is not a number of people of at least 0`);
  const geometry = asRecord(feature?.geometry);
  const { type, coordinates } = geometry ?? {};
  if (type !== "Polygon" && type !== "MultiPolygon")
    throw new InputError(place, `the geometry is ${show(type)}, not a Polygon or a MultiPolygon`);
  const polygons = listOf(type === "Polygon" ? [coordinates] : coordinates, place).map((rings) => readPolygon(rings, place));
  for (const { area, west, east, south, north } of polygons) {
    if (residents === 0 || area >= leastShare * (east - west) * (north - south)) continue;
    throw new InputError(place, "people live in a polygon that is as thin as a line: correct it, or set its residents to 0");
  }
  return { polygons, residents };
}

function readPolygon(value: unknown, place: InputPlace): Polygon {
  const rings = listOf(value, place).map((ring) => readRing(ring, place));
  const polygon = polygonOf(rings);
  if (!(polygon.area > 0)) throw new InputError(place, "a polygon has no area");
  return polygon;
}

function readRing(value: unknown, place: InputPlace): Ring {
  const ring = listOf(value, place).map((position) => readPosition(position, place));
  const [first, last] = [ring[0], ring.at(-1)];
  if (ring.length < 4 || first?.[0] !== last?.[0] || first?.[1] !== last?.[1]) {
    throw new InputError(place, "a ring is not closed: it has at least 4 positions, and the last is the first");
  }
  for (let index = 1; index < ring.length; index++) {
    if (Math.abs((ring[index] as LngLat)[0] - (ring[index - 1] as LngLat)[0]) <= 180) continue;
    throw new InputError(place, "a polygon crosses the 180th meridian: cut it there into a MultiPolygon (RFC 7946, section 3.1.9)");
  }
  return ring;
}

function readPosition(value: unknown, place: InputPlace): LngLat {
  const [longitude, latitude] = Array.isArray(value) ? value : [];
  const isRight = typeof longitude === "number" && typeof latitude === "number" && Math.abs(longitude) <= 180 && Math.abs(latitude) <= 90;
  if (!isRight) throw new InputError(place, `${show(value)} is not a position in degrees, longitude first (WGS84)`);
  return [longitude, latitude];
}

function listOf(value: unknown, place: InputPlace): unknown[] {
  if (Array.isArray(value) && value.length > 0) return value;
  throw new InputError(place, `the coordinates hold ${show(value)} in place of a list`);
}
