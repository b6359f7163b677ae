import { type World, worldOf } from "../camera.ts";
import { decodeLine } from "./line-code.ts";
import type { Shapes } from "./shapes.ts";

/** A line in the coordinates of the map of the world: x, y, x and so on, and the box around them. */
export interface WorldLine {
  readonly places: Float64Array;
  readonly west: number;
  readonly east: number;
  readonly north: number;
  readonly south: number;
}

/** A town or city. */
export interface Town extends World {
  readonly name: string;
  /** 0 for the largest cities of the world, 10 for the smallest towns. */
  readonly rank: number;
}

/** The shapes of the map, ready to be drawn. */
export interface MapShapes {
  readonly land: readonly WorldLine[];
  readonly lakes: readonly WorldLine[];
  readonly countryBorders: readonly WorldLine[];
  readonly provinceBorders: readonly WorldLine[];
  /** The largest first. */
  readonly towns: readonly Town[];
}

export function readShapes({ land, lakes, countryBorders, provinceBorders, places }: Shapes): MapShapes {
  return {
    land: readLines(land),
    lakes: readLines(lakes),
    countryBorders: readLines(countryBorders),
    provinceBorders: readLines(provinceBorders),
    towns: places
      .split("\n")
      .map(readTown)
      .sort((one, other) => one.rank - other.rank),
  };
}

function readLines(text: string): WorldLine[] {
  return text.split(" ").map((line) => {
    const places = decodeLine(line);
    let [west, east, north, south] = [Infinity, -Infinity, Infinity, -Infinity];
    for (let index = 0; index < places.length; index += 2) {
      const { x, y } = worldOf({ longitude: places[index] ?? 0, latitude: places[index + 1] ?? 0 });
      places[index] = x;
      places[index + 1] = y;
      [west, east, north, south] = [Math.min(west, x), Math.max(east, x), Math.min(north, y), Math.max(south, y)];
    }
    return { places, west, east, north, south };
  });
}

function readTown(line: string): Town {
  const [name = "", longitude, latitude, rank] = line.split("\t");
  return { name, rank: Number(rank), ...worldOf({ longitude: Number(longitude), latitude: Number(latitude) }) };
}
