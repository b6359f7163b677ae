import { parseNumber, parsePosition } from "../input/cells.ts";
import { InputError, type InputPlace } from "../input/input-error.ts";
import { type Row, readTable } from "../input/table.ts";
import { roundDegrees } from "../trace/field.ts";
import { AliasTable } from "./alias-table.ts";
import { drawPersonAt, type People } from "./people.ts";

/** A place where people live, e.g. the centre of a postal code. */
export interface Point {
  readonly latitude: number;
  readonly longitude: number;
  /** How many people, or a number proportional to it. At least 0. */
  readonly weight: number;
}

/** The columns of a file of points. */
export interface PointColumns {
  latitude: string;
  longitude: string;
  /** Undefined: each point has weight 1. */
  weight?: string;
}

/**
 * Reads points from a CSV file.
 *
 * @throws InputError at the first row that cannot be read, or if there is no weight above 0.
 */
export async function readPoints(rows: AsyncIterable<Row> | Iterable<Row>, file: string, columns: PointColumns): Promise<Point[]> {
  const points: Point[] = [];
  for await (const { line, cell } of readTable(rows, file, Object.values(columns))) {
    const at = (field: string): InputPlace => ({ file, line, field });
    const cells = { latitude: cell(columns.latitude), longitude: cell(columns.longitude) };
    const position = parsePosition(cells, (axis) => at(columns[axis]));
    const weight = columns.weight === undefined ? 1 : parseNumber(cell(columns.weight), at(columns.weight));
    if (weight < 0) throw new InputError(at(columns.weight ?? ""), `the weight ${weight} is below 0`);
    points.push({ ...position, weight });
  }
  if (!points.some(({ weight }) => weight > 0)) throw new InputError({ file }, "has no point with a weight above 0");
  return points;
}

/**
 * People who live at points.
 *
 * @param points at least one of a weight above 0
 * @param residents how many they are together. Default: the sum of the weights
 */
export function peopleAtPoints(points: readonly Point[], residents = points.reduce((sum, { weight }) => sum + weight, 0)): People {
  const table = new AliasTable(points.map(({ weight }) => weight));
  const perWeight = residents / points.reduce((sum, { weight }) => sum + weight, 0);
  return {
    residents,
    draw(random) {
      const index = table.draw(random);
      const { latitude, longitude, weight } = points[index] as Point;
      const person = drawPersonAt(index, weight * perWeight, random);
      return { person, latitude: roundDegrees(latitude), longitude: roundDegrees(longitude) };
    },
  };
}
