import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { feature, mesh } from "topojson-client";
import { encodeLine, type Position } from "../line-code.ts";
import type { Shapes } from "../shapes.ts";
import { isWorthDrawing, simplifyLine, type ToleranceAt } from "./simplify.ts";

type Topology = Parameters<typeof mesh>[0];
type Shape = Parameters<typeof mesh>[1];

const extractDir = join(import.meta.dirname, "../../../../natural-earth");

/** South-East Asia, which is shown in detail. */
const detailed = { west: 92, east: 141.1, south: -11.5, north: 28.6 };

/** How far coasts and borders may move, in degrees: around large cities of South-East Asia, elsewhere in South-East Asia, and in the rest of the world. */
const tolerances = { city: 0.001, detailed: 0.01, world: 0.2 };

/** How far around a city's middle its shapes are those of a city, in degrees, and up to which rank of Natural Earth a city is a large one. */
const cityRadius = 0.5;
const largeCityRank = 3;

/**
 * The shapes of the map from Natural Earth, 1:10,000,000: coasts and countries by way of the npm package world-atlas; lakes, borders of provinces and places
 * from the extracts beside this package's sources. The same sources give the same text.
 */
export async function makeShapes(): Promise<Shapes> {
  const atlas = createRequire(import.meta.url).resolve("world-atlas/countries-10m.json");
  const places = (await readExtract("places.tsv")).slice(1);
  const toleranceAt = toleranceNear(places.map((line) => line.split("\t")).filter(([, , , rank]) => Number(rank) <= largeCityRank));
  const topology = simplified(JSON.parse(await readFile(atlas, "utf8")) as Topology, toleranceAt);
  const borders = mesh(topology, topology.objects.countries as Shape, (one, other) => one !== other);
  return {
    land: encode(ringsOf(topology).filter((ring) => isWorthDrawing(ring, toleranceAt))),
    lakes: (await readExtract("lakes.txt")).join(" "),
    countryBorders: encode(borders.coordinates as unknown as Position[][]),
    provinceBorders: (await readExtract("province-borders.txt")).join(" "),
    places: places.join("\n"),
  };
}

function encode(lines: readonly (readonly Position[])[]): string {
  return lines.map(encodeLine).join(" ");
}

/** The same topology of simpler arcs. Each arc is simplified once, so that a border ends where the coast is. */
function simplified({ arcs, transform, ...topology }: Topology, toleranceAt: ToleranceAt): Topology {
  const { scale, translate } = transform ?? { scale: [1, 1], translate: [0, 0] };
  const simpler = arcs.map((arc) => {
    let [x, y] = [0, 0];
    const line = arc.map(([dx = 0, dy = 0]): Position => {
      [x, y] = [x + dx, y + dy];
      return [x * scale[0] + translate[0], y * scale[1] + translate[1]];
    });
    return simplifyLine(line, toleranceAt).map(([longitude, latitude]) => [longitude, latitude]);
  });
  return { ...topology, arcs: simpler };
}

/** The coasts of all land, and of the inland seas in it. Antarctica, whose coast goes around the world, is left out. */
function ringsOf(topology: Topology): Position[][] {
  const land = feature(topology, topology.objects.land as NonNullable<Shape>);
  const rings = ("features" in land ? land.features : [land]).flatMap(({ geometry }) => {
    if (geometry.type === "Polygon") return geometry.coordinates;
    return geometry.type === "MultiPolygon" ? geometry.coordinates.flat() : [];
  });
  return rings.map((ring) => inOnePiece(ring as unknown as Position[])).filter((ring) => ring[0]?.[0] === ring.at(-1)?.[0]);
}

/** A ring that crosses the 180th meridian goes on beyond it, and not once around the world. */
function inOnePiece(ring: readonly Position[]): Position[] {
  let turns = 0;
  return ring.map(([longitude, latitude], index) => {
    const step = longitude - (ring[index - 1]?.[0] ?? longitude);
    if (Math.abs(step) > 180) turns -= Math.sign(step);
    return [longitude + 360 * turns, latitude];
  });
}

async function readExtract(name: string): Promise<string[]> {
  return (await readFile(join(extractDir, name), "utf8")).trimEnd().split("\n");
}

function toleranceNear(largeCities: readonly string[][]): ToleranceAt {
  const isDetailed = ([longitude, latitude]: Position) =>
    longitude >= detailed.west && longitude <= detailed.east && latitude >= detailed.south && latitude <= detailed.north;
  const cities = largeCities.map(([, longitude, latitude]): Position => [Number(longitude), Number(latitude)]).filter(isDetailed);
  return (position) => {
    if (!isDetailed(position)) return tolerances.world;
    const [longitude, latitude] = position;
    const isNearCity = cities.some(([x, y]) => Math.abs(x - longitude) < cityRadius && Math.abs(y - latitude) < cityRadius);
    return isNearCity ? tolerances.city : tolerances.detailed;
  };
}
