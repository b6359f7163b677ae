import { cosDegrees } from "../random/portable-math.ts";
import { createRandom, type Random } from "../random/random.ts";
import { roundDegrees } from "../trace/field.ts";
import { AliasTable } from "./alias-table.ts";
import { drawPersonAt, type People } from "./people.ts";
import { isInPolygon, type Polygon, type PopulatedArea } from "./polygon.ts";

/**
 * People who live in areas, spread evenly over each. Everybody's home depends on the seed, the number of the area and their own number in it, and on nothing else.
 *
 * @param areas at least one with residents
 */
export function peopleInPolygons(areas: readonly PopulatedArea[], seed: number): People {
  const table = new AliasTable(areas.map(({ residents }) => residents));
  const parts = areas.map(({ polygons }) => new AliasTable(polygons.map(({ area }) => area)));
  return {
    residents: areas.reduce((sum, { residents }) => sum + residents, 0),
    draw(random) {
      const index = table.draw(random);
      const { polygons, residents } = areas[index] as PopulatedArea;
      const person = drawPersonAt(index, residents, random);
      const own = createRandom(seed, "home", person);
      const polygon = polygons[(parts[index] as AliasTable).draw(own)] as Polygon;
      return { person, ...drawPointIn(polygon, own) };
    },
  };
}

/** More draws than a polygon can take that is not as thin as a line. */
const mostDraws = 10_000_000;

/** A point in a polygon, evenly over its area on the sphere: by rejection from its bounding box. */
export function drawPointIn(polygon: Polygon, random: Random): { latitude: number; longitude: number } {
  const { west, east, south, north } = polygon;
  // A strip of latitudes is as wide as their cosine.
  const widest = south <= 0 && north >= 0 ? 1 : Math.max(cosDegrees(south), cosDegrees(north));
  for (let draw = 0; draw < mostDraws; draw++) {
    const longitude = roundDegrees(west + (east - west) * random.next());
    const latitude = roundDegrees(south + (north - south) * random.next());
    if (random.next() * widest < cosDegrees(latitude) && isInPolygon(polygon, longitude, latitude)) return { latitude, longitude };
  }
  throw new RangeError(`no point was found in the polygon around ${west},${south} in ${mostDraws} draws`);
}
