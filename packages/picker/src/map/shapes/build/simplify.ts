import type { Position } from "../line-code.ts";

/** How far a line may move at a position, in degrees. */
export type ToleranceAt = (position: Position) => number;

/** Leaves out positions that nobody would miss (Douglas and Peucker). The first and the last stay. */
export function simplifyLine(line: readonly Position[], toleranceAt: ToleranceAt): Position[] {
  const tolerances = line.map(toleranceAt);
  const isKept = new Uint8Array(line.length);
  isKept[0] = 1;
  isKept[line.length - 1] = 1;
  const parts: [number, number][] = [[0, line.length - 1]];
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    const [first, last] = part;
    let [worst, worstExcess] = [0, 1];
    for (let index = first + 1; index < last; index++) {
      const excess = distance(line[index] as Position, line[first] as Position, line[last] as Position) / (tolerances[index] ?? 0);
      if (excess > worstExcess) [worst, worstExcess] = [index, excess];
    }
    if (worst === 0) continue;
    isKept[worst] = 1;
    parts.push([first, worst], [worst, last]);
  }
  return line.filter((_, index) => isKept[index] === 1);
}

/** Whether there is more of a simplified ring than a speck. */
export function isWorthDrawing(ring: readonly Position[], toleranceAt: ToleranceAt): boolean {
  const least = Math.min(...ring.map(toleranceAt)) ** 2 * 4;
  return ring.length >= 4 && areaOf(ring) >= least;
}

/** The area of a ring, in square degrees. */
function areaOf(ring: readonly Position[]): number {
  const sum = ring.reduce((total, [x, y], index) => {
    const [nextX, nextY] = ring[(index + 1) % ring.length] as Position;
    return total + x * nextY - nextX * y;
  }, 0);
  return Math.abs(sum) / 2;
}

/** The distance of a position from a straight line between two others, in degrees. */
function distance([x, y]: Position, [fromX, fromY]: Position, [toX, toY]: Position): number {
  const [dx, dy] = [toX - fromX, toY - fromY];
  const square = dx * dx + dy * dy;
  const along = square === 0 ? 0 : Math.max(0, Math.min(1, ((x - fromX) * dx + (y - fromY) * dy) / square));
  return Math.hypot(x - fromX - along * dx, y - fromY - along * dy);
}
