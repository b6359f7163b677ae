import { earthRadiusM, type Position } from "@petak/protocol/geo";
import { gridDiskDistances } from "h3-js";
import { cellBound, leastDistanceM } from "../geo/cell-bound.ts";
import { indexCellOf } from "../geo/region.ts";
import { type UnitPoint, unitPoint } from "../geo/unit-point.ts";
import type { IndexCell } from "../h3-index/index-cell.ts";

/** Numbers per cell in {@link Surroundings.circles}: the centre's x, y and z on the unit sphere, and the radius in m. */
export const circleNumbers = 4;

/**
 * The index cells around a point, sorted by the lower bound of the distance to a site in them. Whether they have sites is not considered.
 */
export class Surroundings {
  readonly cells: readonly IndexCell[];
  /** The circle that bounds the sites of each cell, {@link circleNumbers} numbers each. */
  readonly circles: Float64Array;
  /**
   * For each cell, a lower bound, in m, of the distance from the point to anything in it, in a later cell, or outside all cells.
   * Non-decreasing.
   */
  readonly leastM: Float64Array;
  /** Lower bound, in m, of the distance from the point to anything outside all cells. */
  readonly beyondM: number;
  readonly #point: UnitPoint;

  /**
   * Also correct at pentagons.
   *
   * @param rings Number of rings of cells around the point's own cell.
   */
  constructor(centre: Position, rings: number, cellOf: (cell: string) => IndexCell) {
    const disk = gridDiskDistances(indexCellOf(centre), rings + 1);
    // Everything outside lies beyond the outermost ring.
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

  /** Distance in m, rounded up, from a point to the centre. */
  offsetM([x, y, z]: UnitPoint): number {
    const [dx, dy, dz] = [this.#point[0] - x, this.#point[1] - y, this.#point[2] - z];
    // The arc is longer than the chord, by less than a millionth within one square.
    return Math.sqrt(dx * dx + dy * dy + dz * dz) * earthRadiusM * offsetSlack;
  }
}

const offsetSlack = 1 + 1e-6;

/** Options of {@link createSurroundings}. */
export interface SurroundingsOptions {
  /** Squares per degree, at most 180. All points of a square share the surroundings of its centre. */
  squaresPerDegree: number;
  /** Rings of cells around the centre's cell. */
  rings: number;
  /** Greatest number of surroundings kept; all are discarded when it is reached. */
  max: number;
}

/** Returns a memoised lookup of the surroundings of the square that contains a position. */
export function createSurroundings(
  { squaresPerDegree, rings, max }: SurroundingsOptions,
  cellOf: (cell: string) => IndexCell,
): (position: Position) => Surroundings {
  const [rows, columns] = [180 * squaresPerDegree, 360 * squaresPerDegree];
  const known = new Map<number, Surroundings>();
  return ({ latitude, longitude }) => {
    const row = Math.min(rows - 1, Math.floor((latitude + 90) * squaresPerDegree));
    const column = Math.min(columns - 1, Math.floor((longitude + 180) * squaresPerDegree));
    // A small integer, given at most 180 squares per degree.
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
