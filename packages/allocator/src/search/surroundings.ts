import { gridDiskDistances } from "h3-js";
import { cellBound, leastDistanceM } from "../geo/cell-bound.ts";
import { earthRadiusM } from "../geo/great-circle.ts";
import type { Position } from "../geo/position.ts";
import { indexCellOf } from "../geo/region.ts";
import { type UnitPoint, unitPoint } from "../geo/unit-point.ts";
import type { IndexCell } from "../h3-index/index-cell.ts";

/** Numbers of a cell in {@link Surroundings.circles}: the centre's x, y and z on a sphere of radius 1, and the radius in m. */
export const circleNumbers = 4;

/**
 * The index cells around a point, in the order of the least distance at which a site in them could lie from it. Which of them have sites is
 * another matter.
 */
export class Surroundings {
  readonly cells: readonly IndexCell[];
  /** The circle that holds all sites of each cell, {@link circleNumbers} a cell. */
  readonly circles: Float64Array;
  /** The least distance in m from the point to anything in each cell or a later one, or in none of them. Never falls. */
  readonly leastM: Float64Array;
  /** The least distance in m from the point to anything that is in none of the cells. */
  readonly beyondM: number;
  readonly #point: UnitPoint;

  /** @param rings How many rings of cells there are around the one in which the point is. Right at pentagons too. */
  constructor(centre: Position, rings: number, cellOf: (cell: string) => IndexCell) {
    const disk = gridDiskDistances(indexCellOf(centre), rings + 1);
    // The way out leads through a cell of the outermost ring.
    const ring = disk.pop() ?? [];
    const beyondM = ring.reduce((least, cell) => Math.min(least, leastDistanceM(centre, cell)), Number.POSITIVE_INFINITY);
    const cells = disk
      .flat()
      .map((cell) => ({ cell, leastM: Math.min(beyondM, leastDistanceM(centre, cell)) }))
      .sort((a, b) => a.leastM - b.leastM);
    this.cells = cells.map(({ cell }) => cellOf(cell));
    this.circles = new Float64Array(cells.length * circleNumbers);
    this.leastM = Float64Array.from(cells, ({ leastM }) => leastM);
    cells.forEach(({ cell }, index) => {
      const { point, radiusM } = cellBound(cell);
      this.circles.set([...point, radiusM], index * circleNumbers);
    });
    this.beyondM = beyondM;
    this.#point = unitPoint(centre);
  }

  /** How far a point is from the one in the middle, in m, and no less. */
  offsetM([x, y, z]: UnitPoint): number {
    const [dx, dy, dz] = [this.#point[0] - x, this.#point[1] - y, this.#point[2] - z];
    // The way along the surface is longer than the straight line, by less than a millionth where both are in one square.
    return Math.sqrt(dx * dx + dy * dy + dz * dz) * earthRadiusM * offsetSlack;
  }
}

const offsetSlack = 1 + 1e-6;

/** How surroundings are kept. */
export interface SurroundingsOptions {
  /** How many squares there are to a degree: all points in one have the same surroundings, those of its middle. At most 180. */
  squaresPerDegree: number;
  /** Rings of cells around the one in the middle. */
  rings: number;
  /** Surroundings kept before they are made anew. */
  max: number;
}

/** Gives the surroundings of the square in which a position lies, made once. */
export function createSurroundings(
  { squaresPerDegree, rings, max }: SurroundingsOptions,
  cellOf: (cell: string) => IndexCell,
): (position: Position) => Surroundings {
  const [rows, columns] = [180 * squaresPerDegree, 360 * squaresPerDegree];
  const known = new Map<number, Surroundings>();
  return ({ latitude, longitude }) => {
    const row = Math.min(rows - 1, Math.floor((latitude + 90) * squaresPerDegree));
    const column = Math.min(columns - 1, Math.floor((longitude + 180) * squaresPerDegree));
    // At most 180 squares to a degree: the number is a small integer then.
    const square = row * columns + column;
    let surroundings = known.get(square);
    if (surroundings === undefined) {
      if (known.size >= max) known.clear();
      const middle = { latitude: (row + 0.5) / squaresPerDegree - 90, longitude: (column + 0.5) / squaresPerDegree - 180 };
      surroundings = new Surroundings(middle, rings, cellOf);
      known.set(square, surroundings);
    }
    return surroundings;
  };
}
