import { earthRadiusM, type Position, radiansPerDegree } from "@petak/protocol/geo";

/**
 * The constant of J. Beardwood, J. H. Halton, J. M. Hammersley, "The shortest path through many points" (Proc. Camb. Phil. Soc. 55, 1959): the shortest tour
 * through n random points of an area A tends to this times √(n·A). Value: D. S. Johnson, L. A. McGeoch, E. E. Rothberg (SODA 1996); A. G. Percus and O. C.
 * Martin (Phys. Rev. Lett. 76, 1996) have 0.7120 ± 0.0002.
 */
const tourConstant = 0.7124;

/**
 * What few points add, because a tour also runs along the border of the area: this times √A · (1 - 4/n²). Our own fit to tours through random points of a square: up
 * to 5 points the shortest, found by trying all, up to 50 those that a search by exchanges found. It vanishes beside the main term as n grows.
 */
const borderConstant = 0.63;

/**
 * Expected length in km of the shortest closed tour through points that are spread evenly over an area, as the crow flies.
 *
 * @param stops at least 0, also between whole numbers, as a mean of several tours is. One stop needs no tour
 * @param areaKm2 at least 0
 */
export function tourKm(stops: number, areaKm2: number): number {
  if (stops <= 1) return 0;
  if (stops < 2) return (stops - 1) * tourKm(2, areaKm2);
  return Math.sqrt(areaKm2) * (tourConstant * Math.sqrt(stops) + borderConstant * (1 - 4 / (stops * stops)));
}

/** Mean number of points in a cell of the grid by which density is measured. */
const pointsPerCell = 12;

const kmPerDegree = (earthRadiusM / 1000) * radiansPerDegree;

/**
 * The area over which as many evenly spread points have as long a tour as these: (∫ √density)², which the theorem of Beardwood, Halton and Hammersley has for
 * points of any density. Where most live close together it is much smaller than the area that holds them all. The density is that of a grid whose cells
 * have 12 points on average.
 *
 * @param points within 10° of one another
 */
export function effectiveAreaKm2(points: readonly Position[]): number {
  const [first] = points;
  if (first === undefined || points.length === 1) return 0;
  const kmPerDegreeEast = kmPerDegree * Math.cos(first.latitude * radiansPerDegree);
  const plane = points.map(({ latitude, longitude }) => {
    const east = ((longitude - first.longitude + 540) % 360) - 180;
    return { x: east * kmPerDegreeEast, y: (latitude - first.latitude) * kmPerDegree };
  });
  const west = plane.reduce((least, { x }) => Math.min(least, x), 0);
  const south = plane.reduce((least, { y }) => Math.min(least, y), 0);
  const widthKm = plane.reduce((most, { x }) => Math.max(most, x), 0) - west;
  const heightKm = plane.reduce((most, { y }) => Math.max(most, y), 0) - south;
  const cells = Math.max(1, points.length / pointsPerCell);
  // Whole numbers of cells, so that none reaches beyond the points.
  const columns = Math.max(1, Math.round(Math.sqrt((cells * widthKm) / Math.max(heightKm, widthKm / cells, 1e-9))));
  const rows = Math.max(1, Math.round(cells / columns));
  const counts = new Map<number, number>();
  for (const { x, y } of plane) {
    const column = Math.min(columns - 1, Math.floor(((x - west) / Math.max(widthKm, 1e-9)) * columns));
    const row = Math.min(rows - 1, Math.floor(((y - south) / Math.max(heightKm, 1e-9)) * rows));
    const cell = row * columns + column;
    counts.set(cell, (counts.get(cell) ?? 0) + 1);
  }
  const cellKm2 = (widthKm * heightKm) / (columns * rows);
  let root = 0;
  for (const count of counts.values()) root += Math.sqrt((count / points.length) * cellKm2);
  return root * root;
}
