import { setImmediate } from "node:timers/promises";
import { earthRadiusM } from "@petak/protocol/geo";
import type { Area } from "../h3-index/area.ts";
import type { IndexCell } from "../h3-index/index-cell.ts";
import type { IndexReader, RegionDirectory } from "../h3-index/index-reader.ts";
import { IndexRegion } from "../h3-index/index-region.ts";
import { isOccupied } from "../h3-index/occupied-cells.ts";
import type { NearestQuery } from "../query/query.ts";
import { type Candidate, candidateOf } from "./candidate.ts";
import type { ConcurrencyLimit } from "./concurrency-limit.ts";
import { evaluateBlock } from "./evaluate-block.ts";
import { createFrontier } from "./frontier.ts";
import { searchInMemory } from "./in-memory.ts";
import { NearestK } from "./nearest-k.ts";
import { type ScanContext, scanBlock } from "./scan-block.ts";
import { createScanContext, hasExcludedOperatorAppeared } from "./scan-context.ts";
import { circleNumbers, createSurroundings, type Surroundings } from "./surroundings.ts";

/**
 * Blocks, and region bitmaps, that the first round trip of a wide search reads at most. Each further round trip doubles both, up to a
 * factor of `maxFactor`.
 */
const firstBlocks = 32;
const firstRegions = 8;
const maxFactor = 16;

/** Cells read around an origin when nothing is cached: its own and the first ring. */
const nearCells = 7;

/** Squares of 600 m with the cells within some 2 km: where most searches end. Some 20 MB. */
const nearSurroundings = { squaresPerDegree: 180, rings: 3, max: 10_000 };

/** Squares of 2.5 km with the cells within some 8 km: where searches in a nearly full city end. Some 20 MB. */
const wideSurroundings = { squaresPerDegree: 45, rings: 12, max: 1_000 };

/** Options of one search. */
export interface SearchOptions {
  /**
   * Aborts a wide search, which then throws the signal's reason. Read only if the search becomes wide, so a getter may create it on demand.
   */
  readonly signal: AbortSignal;
}

/** Finds exactly the nearest sites that satisfy a query. Synchronous if all the data that it needs is cached. */
export type NearestSearch = (query: NearestQuery, options?: SearchOptions) => Candidate[] | Promise<Candidate[]>;

/**
 * Creates an exact search for the nearest sites that satisfy a query.
 *
 * It first scans cached blocks, in the order in which their cells could contain the nearest site. If that does not suffice, it reads the
 * origin's cell and the ring around it; if nothing outside could be nearer than what was found there, the search ends after this one round
 * trip. Otherwise it searches the Earth best first, from regions with sites down to their occupied cells, always continuing with the area
 * that could contain the nearest site, until no area could contain a nearer one than the k-th found.
 *
 * @param wideSearches Limits concurrent wide searches, each of which may scan a continent.
 */
export function createNearestSearch(reader: IndexReader, wideSearches: ConcurrencyLimit): NearestSearch {
  const near = createSurroundings(nearSurroundings, reader.cell);
  const around = createSurroundings(wideSurroundings, reader.cell);

  function search(context: ScanContext, options: SearchOptions | undefined): Candidate[] | Promise<Candidate[]> {
    const missing: IndexCell[] = [];
    const candidates = tryInMemory(context, missing);
    if (candidates !== undefined) return candidates;
    return readAndSearch(context, missing, options);
  }

  /**
   * The candidates, if cached data determines them; else undefined.
   *
   * @param missing Receives the cells that have to be read first.
   */
  function tryInMemory(context: ScanContext, missing: IndexCell[]): Candidate[] | undefined {
    if (context.allowedOperators?.size === 0) return [];
    if (!reader.checkMemory()) return undefined;
    const { query, origin } = context;
    const nearestK = new NearestK(query.limit, query.radiusM);
    const surroundings = near(origin);
    let outcome = searchInMemory(reader, context, surroundings, nearestK, missing, nearCells);
    // If there is no site nearby, the next one is probably far away, and a wide search has few cells to scan on the way.
    if (outcome === "farther" && surroundings.cells.some((cell) => reader.knownBlock(cell))) {
      nearestK.clear();
      outcome = searchInMemory(reader, context, around(origin), nearestK, missing, firstBlocks);
    }
    return outcome === "done" ? candidatesOf(nearestK, query) : undefined;
  }

  /** Regions at the origin whose lists have been in memory for so long that they have to be read again. */
  function outdatedRegions({ origin, startedMs }: ScanContext): IndexRegion[] {
    if (!reader.checkMemory()) return [];
    const regions = new Set(
      near(origin)
        .cells.slice(0, nearCells)
        .map(({ region }) => region),
    );
    return [...regions].filter(({ lists }) => lists.areOutdated(startedMs));
  }

  async function readAndSearch(
    context: ScanContext,
    missing: readonly IndexCell[],
    options: SearchOptions | undefined,
  ): Promise<Candidate[]> {
    const outdated = outdatedRegions(context);
    if (missing.length + outdated.length > 0) {
      await Promise.all([reader.blocks(missing), ...outdated.map((region) => reader.refreshLists(region))]);
      const candidates = tryInMemory(context, []);
      if (candidates !== undefined) return candidates;
    }
    const { query } = context;
    const nearestK = new NearestK(query.limit, query.radiusM);
    const surroundings = near(context.origin);
    const nearest = surroundings.cells.slice(0, nearCells);
    await readBlocks(
      reader,
      context,
      nearest.filter((cell) => mayHaveSites(reader, cell)),
      nearestK,
    );
    if (mayBeBeyond(context, surroundings, nearest.length, nearestK.reachM)) {
      const signal = options?.signal;
      const read = new Set(nearest.map(({ cell }) => cell));
      await wideSearches.run(() => searchWide(reader, context, read, nearestK, signal), signal);
    }
    return candidatesOf(nearestK, query);
  }

  /** The search for a query that names operators whose numbers have to be read. */
  async function searchAmong(query: NearestQuery, making: Promise<ScanContext>, options: SearchOptions | undefined): Promise<Candidate[]> {
    const context = await making;
    const candidates = await search(context, options);
    if (candidates.length === 0 || !(await hasExcludedOperatorAppeared(reader, context))) return candidates;
    return await searchAmong(query, Promise.resolve(createScanContext(reader, query)), options);
  }

  return (query, options) => {
    const context = createScanContext(reader, query);
    return context instanceof Promise ? searchAmong(query, context, options) : search(context, options);
  };
}

function candidatesOf({ found }: NearestK, query: NearestQuery): Candidate[] {
  const candidates: Candidate[] = [];
  for (const site of found) candidates.push(candidateOf(site, query));
  return candidates;
}

/** Whether a cell may have sites, according to cached data. */
function mayHaveSites(reader: IndexReader, { region, number }: IndexCell): boolean {
  const occupied = reader.knownOccupiedCells(region);
  return occupied === undefined || isOccupied(occupied, number);
}

/** Whether anything outside the first `count` cells could lie within `reachM`. */
function mayBeBeyond({ point: [x, y, z], point }: ScanContext, surroundings: Surroundings, count: number, reachM: number): boolean {
  const { cells, circles, beyondM } = surroundings;
  for (let index = count; index < cells.length; index++) {
    const at = index * circleNumbers;
    const line = Math.hypot((circles[at] as number) - x, (circles[at + 1] as number) - y, (circles[at + 2] as number) - z);
    if (line * earthRadiusM - (circles[at + 3] as number) <= reachM) return true;
  }
  return beyondM - surroundings.offsetM(point) <= reachM;
}

async function searchWide(
  reader: IndexReader,
  context: ScanContext,
  read: ReadonlySet<string>,
  nearestK: NearestK,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { point, query } = context;
  const frontier = createFrontier<Area | IndexRegion>();
  const push = (node: Area | IndexRegion) => {
    const leastM = node.leastM(point);
    if (leastM <= nearestK.reachM) frontier.push(leastM, node);
  };
  for (const region of await reader.regions(query.countryCodes)) push(region);
  const isOpen = () => frontier.leastM() <= nearestK.reachM && frontier.leastM() !== Number.POSITIVE_INFINITY;
  for (let factor = 1; isOpen(); factor = Math.min(maxFactor, factor * 2)) {
    // A search without a site nearby may scan a continent; it ends when its caller has gone.
    signal?.throwIfAborted();
    // Yields to other work.
    if (factor > 1) await setImmediate();
    const cells: IndexCell[] = [];
    const unknown: IndexRegion[] = [];
    while (cells.length < firstBlocks * factor && unknown.length < firstRegions * factor && isOpen()) {
      const node = frontier.pop();
      if (node === undefined) break;
      if (node instanceof IndexRegion) {
        const known = reader.knownDirectory(node, query);
        if (known === undefined) unknown.push(node);
        else enter(node, known);
      } else if (node.isIndexCell) {
        if (!read.has(node.cell)) cells.push(reader.cell(node.cell));
      } else {
        for (const child of node.children) push(child);
      }
    }
    const [directories] = await Promise.all([reader.directories(unknown), readBlocks(reader, context, cells, nearestK)]);
    unknown.forEach((region, index) => {
      enter(region, directories[index] as RegionDirectory);
    });
  }

  function enter(region: IndexRegion, { occupied, lists }: RegionDirectory): void {
    if (!lists.mayFit(query)) return;
    for (const child of region.areas(occupied).children) push(child);
  }
}

async function readBlocks(reader: IndexReader, context: ScanContext, cells: readonly IndexCell[], nearestK: NearestK): Promise<void> {
  const reading = reader.blocks(cells);
  const blocks = reading instanceof Promise ? await reading : reading;
  for (let index = 0; index < cells.length; index++) {
    const cell = cells[index] as IndexCell;
    const block = blocks[index];
    if (block === undefined || block === null) continue;
    if (scanBlock(context, cell, block, nearestK)) continue;
    await evaluateBlock(reader, cell, block, (current) => scanBlock(context, cell, current, nearestK) || undefined);
  }
}
