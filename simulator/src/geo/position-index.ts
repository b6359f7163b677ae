import { earthRadiusM, greatCircleM, type Position, radiansPerDegree } from "@petak/protocol/geo";

/** A position of an index and its great-circle distance. */
export interface Found {
  /** Its number in the list that was indexed. */
  readonly index: number;
  readonly distanceM: number;
}

/** Least side of the cubes, so that the numbers of a cube fit into one. */
const leastSideM = 100;

/** More cubes than the Earth has along an axis. */
const cubesPerAxis = 2 ** 17;

/** What a distance computed in space may differ from a great circle's, in m. */
const slackM = 0.01;

/**
 * Finds positions by distance, anywhere on the Earth. Positions are kept by cubes of space of one side: whatever is near is in a neighbouring cube, because the
 * straight line is not longer than the great circle.
 */
export class PositionIndex {
  readonly #positions: readonly Position[];
  readonly #sideM: number;
  readonly #cubes = new Map<number, number[]>();
  /** The coordinates of each position in space, in m: three numbers each. */
  readonly #space: Float64Array;

  /** @param sideM side of the cubes: about the distance that is asked for most. At least 100 m, or 100 m are taken */
  constructor(positions: readonly Position[], sideM: number) {
    this.#positions = positions;
    this.#sideM = Math.max(leastSideM, sideM);
    this.#space = Float64Array.from(positions.flatMap(inSpace));
    for (const index of positions.keys()) {
      const [x, y, z] = [0, 1, 2].map((axis) => this.#cubeOf(this.#space[3 * index + axis] as number)) as [number, number, number];
      const key = keyOf(x, y, z);
      const cube = this.#cubes.get(key);
      if (cube === undefined) this.#cubes.set(key, [index]);
      else cube.push(index);
    }
  }

  /** All positions within a distance, in no order. */
  within(center: Position, radiusM: number): Found[] {
    const found: Found[] = [];
    const from = inSpace(center);
    const mostM = radiusM + slackM;
    const check = (index: number) => {
      const at = 3 * index;
      const dx = (this.#space[at] as number) - from[0];
      const dy = (this.#space[at + 1] as number) - from[1];
      const dz = (this.#space[at + 2] as number) - from[2];
      if (dx * dx + dy * dy + dz * dz > mostM * mostM) return;
      const distanceM = greatCircleM(center, this.#positions[index] as Position);
      if (distanceM <= radiusM) found.push({ index, distanceM });
    };
    if (this.#looksAtAll(radiusM)) for (const index of this.#positions.keys()) check(index);
    else for (const cube of this.#cubesAround(from, Math.ceil(radiusM / this.#sideM))) for (const index of cube) check(index);
    return found;
  }

  /** The nearest position within a distance; of equally near ones the first. */
  nearest(center: Position, radiusM: number): Found | undefined {
    for (let reachM = Math.min(this.#sideM, radiusM); ; reachM *= 2) {
      // A look at all positions finds the nearest at once.
      const isLast = reachM >= radiusM || this.#looksAtAll(reachM);
      let best: Found | undefined;
      for (const found of this.within(center, isLast ? radiusM : reachM)) {
        if (best === undefined || found.distanceM < best.distanceM || (found.distanceM === best.distanceM && found.index < best.index))
          best = found;
      }
      if (best !== undefined || isLast) return best;
    }
  }

  /** Whether there are more cubes within a distance than positions. */
  #looksAtAll(radiusM: number): boolean {
    return (2 * Math.ceil(radiusM / this.#sideM) + 1) ** 3 > this.#positions.length;
  }

  #cubeOf(coordinateM: number): number {
    return Math.floor(coordinateM / this.#sideM);
  }

  #cubesAround([xM, yM, zM]: Space, reach: number): number[][] {
    const [x, y, z] = [this.#cubeOf(xM), this.#cubeOf(yM), this.#cubeOf(zM)];
    const cubes: number[][] = [];
    for (let dx = -reach; dx <= reach; dx++) {
      for (let dy = -reach; dy <= reach; dy++) {
        for (let dz = -reach; dz <= reach; dz++) {
          const cube = this.#cubes.get(keyOf(x + dx, y + dy, z + dz));
          if (cube !== undefined) cubes.push(cube);
        }
      }
    }
    return cubes;
  }
}

type Space = readonly [xM: number, yM: number, zM: number];

function inSpace({ latitude, longitude }: Position): Space {
  const [north, east] = [latitude * radiansPerDegree, longitude * radiansPerDegree];
  const axisM = earthRadiusM * Math.cos(north);
  return [axisM * Math.cos(east), axisM * Math.sin(east), earthRadiusM * Math.sin(north)];
}

/** One whole number for a cube, below 2^53 and different for all within 2^16 cubes of the centre, which reaches beyond the Earth. */
function keyOf(x: number, y: number, z: number): number {
  return (x * cubesPerAxis + y) * cubesPerAxis + z;
}
