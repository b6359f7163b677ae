import { setImmediate } from "node:timers/promises";

/** A published site on the map, and the places free there. Undefined: they are not known, or it takes nothing. */
export interface MappedSite {
  readonly latitude: number;
  readonly longitude: number;
  readonly countryCode: string;
  readonly locality: string;
  readonly free: number | undefined;
}

/** Sums of some sites. */
export interface SiteSums {
  readonly sites: number;
  /** Sites whose counts are known and that take deposits, and the places free there. */
  readonly sitesKnown: number;
  readonly placesFree: number;
}

/** A square of the grid with at least one site. Column 0 is the most western one, row 0 the most northern one. */
export interface NetworkCell extends SiteSums {
  readonly column: number;
  readonly row: number;
}

/** A country, or a town where all sites are in one country. */
export interface NetworkPart extends SiteSums {
  /** An ISO 3166-1 code, or the name of a town as its operator writes it. Empty: the operator says none. */
  readonly name: string;
}

/** The rectangle that the grid covers. A degree of longitude is `longitudeScale` as long as one of latitude. */
export interface NetworkFrame {
  /** The west edge in degrees, from -540; the east edge may be beyond 180. */
  readonly west: number;
  readonly north: number;
  /** The height of a square, in degrees of latitude. */
  readonly step: number;
  readonly longitudeScale: number;
  readonly columns: number;
  readonly rows: number;
}

/** The network at a glance. Its size is bounded, whatever the number of sites. */
export interface NetworkOverview {
  readonly frame: NetworkFrame;
  readonly cells: readonly NetworkCell[];
  readonly partKind: "country" | "town";
  /** Those with the most sites, in that order. */
  readonly parts: readonly NetworkPart[];
  readonly partsLeft: number;
}

/** The least and the most squares in each direction: the map of one town is no strip, that of a long country no tower, and that of the world has no more dots. */
const columnsRange = { min: 24, max: 48, perRow: 1.5 };
const rowsRange = { min: 12, max: 28 };

/** Squares for a free one on each side, wherever in their squares the outermost sites are. */
const margin = 3;

/** The least height of a square, in degrees: a kilometre. */
const stepMin = 0.01;

const partsMax = 12;

/** Sites that are summed before calls come between. */
const sitesTogether = 5000;

/** The overview of the sites. Undefined without any. */
export async function overviewOf(sites: readonly MappedSite[]): Promise<NetworkOverview | undefined> {
  if (sites.length === 0) return undefined;
  const west = westOf(sites);
  const frame = frameOf(sites, west);
  const cells = createSums<number>();
  const countries = createSums<string>();
  const towns = createSums<string>();
  for (const [index, site] of sites.entries()) {
    const { column, row } = squareOf(frame, west, site);
    cells.add(row * frame.columns + column, site);
    countries.add(site.countryCode, site);
    towns.add(site.locality, site);
    if (index % sitesTogether === sitesTogether - 1) await setImmediate();
  }
  const [partKind, byPart] = countries.size > 1 ? (["country", countries] as const) : (["town", towns] as const);
  const parts = byPart.entries().map(([name, sums]) => ({ name, ...sums }));
  parts.sort((a, b) => b.sites - a.sites || (a.name < b.name ? -1 : 1));
  return {
    frame,
    cells: cells.entries().map(([key, sums]) => ({ column: key % frame.columns, row: Math.floor(key / frame.columns), ...sums })),
    partKind,
    parts: parts.slice(0, partsMax),
    partsLeft: Math.max(0, parts.length - partsMax),
  };
}

function createSums<Key>() {
  const sums = new Map<Key, { sites: number; sitesKnown: number; placesFree: number }>();
  return {
    get size() {
      return sums.size;
    },
    add(key: Key, { free }: MappedSite): void {
      const sum = sums.get(key) ?? { sites: 0, sitesKnown: 0, placesFree: 0 };
      sums.set(key, sum);
      sum.sites += 1;
      if (free === undefined) return;
      sum.sitesKnown += 1;
      sum.placesFree += free;
    },
    entries: () => [...sums],
  };
}

/** The frame of the grid: the rectangle of the sites, which begin at `west`, in its middle, with a free square on each side. */
function frameOf(sites: readonly MappedSite[], west: number): NetworkFrame {
  let [south, north] = [90, -90];
  for (const { latitude } of sites) [south, north] = [Math.min(south, latitude), Math.max(north, latitude)];
  let width = 0;
  for (const { longitude } of sites) width = Math.max(width, eastwards(west, longitude));
  const middle = (south + north) / 2;
  const longitudeScale = Math.max(0.1, Math.cos((middle * Math.PI) / 180));
  const [wide, high] = [width * longitudeScale, north - south];
  const step = Math.max(stepMin, wide / (columnsRange.max - margin), high / (rowsRange.max - margin));
  const rows = Math.min(rowsRange.max, Math.max(rowsRange.min, Math.ceil(high / step) + margin));
  const columnsMin = Math.max(columnsRange.min, Math.ceil(rows * columnsRange.perRow));
  const columns = Math.min(columnsRange.max, Math.max(columnsMin, Math.ceil(wide / step) + margin));
  return {
    west: west + width / 2 - (columns * step) / longitudeScale / 2,
    north: middle + (rows * step) / 2,
    ...{ step, longitudeScale, columns, rows },
  };
}

/** Where the sites begin in the west: behind the widest stretch of longitudes without any, so that Fiji is one place and not two ends of the world. */
function westOf(sites: readonly MappedSite[]): number {
  const westmost = new Array<number | undefined>(360);
  for (const { longitude } of sites) {
    const degree = Math.min(359, Math.floor(eastwards(-180, longitude)));
    westmost[degree] = Math.min(westmost[degree] ?? 180, longitude);
  }
  const taken = [...westmost.keys()].filter((degree) => westmost[degree] !== undefined);
  let [best, widest] = [taken[0] ?? 0, -1];
  for (const [index, degree] of taken.entries()) {
    const gap = index === 0 ? degree + 360 - (taken.at(-1) ?? degree) : degree - (taken[index - 1] ?? degree);
    if (gap > widest) [best, widest] = [degree, gap];
  }
  return westmost[best] ?? -180;
}

/** How far east the second longitude is of the first, in degrees. Range: [0, 360). */
function eastwards(from: number, to: number): number {
  return (((to - from) % 360) + 360) % 360;
}

function squareOf(frame: NetworkFrame, west: number, { latitude, longitude }: MappedSite) {
  const { north, step, longitudeScale, columns, rows } = frame;
  // From where the sites begin: a frame with its free squares may be wider than the world.
  const column = Math.floor(((west - frame.west + eastwards(west, longitude)) * longitudeScale) / step);
  const row = Math.floor((north - latitude) / step);
  return { column: Math.max(0, Math.min(columns - 1, column)), row: Math.max(0, Math.min(rows - 1, row)) };
}
