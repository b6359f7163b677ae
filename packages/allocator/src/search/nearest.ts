import { setImmediate } from "node:timers/promises";
import { earthRadiusM } from "../geo/great-circle.ts";
import type { Area } from "../h3-index/area.ts";
import type { IndexCell } from "../h3-index/index-cell.ts";
import type { IndexReader, RegionDirectory } from "../h3-index/index-reader.ts";
import { IndexRegion } from "../h3-index/index-region.ts";
import { isOccupied } from "../h3-index/occupied-cells.ts";
import type { NearestQuery } from "../query/query.ts";
import { Best } from "./best.ts";
import { type Candidate, candidateOf } from "./candidate.ts";
import { createFrontier } from "./frontier.ts";
import { searchInMemory } from "./in-memory.ts";
import { type ScanContext, scanBlock } from "./scan-block.ts";
import { createScanContext, hasRefusedArrived, unknownLists } from "./scan-context.ts";
import { circleNumbers, createSurroundings, type Surroundings } from "./surroundings.ts";
import type { Turnstile } from "./turnstile.ts";

/** How many blocks, and how many regions' bitmaps, the first wide round trip reads at most. Each further one doubles both, to a bound. */
const firstBlocks = 32;
const firstRegions = 8;
const maxFactor = 16;

/** Cells that are read around an origin before anything is known: its own and those around it. */
const nearCells = 7;

/** Squares of 600 m, and the cells within some 2 km of them: where most searches end. Some 20 MB. */
const nearSurroundings = { squaresPerDegree: 180, rings: 3, max: 10_000 };

/** Squares of 2.5 km, and the cells within some 8 km of them: where a search in a city ends that is nearly full. Some 20 MB. */
const wideSurroundings = { squaresPerDegree: 45, rings: 12, max: 1_000 };

/** Who waits for a search. */
export interface Waiting {
  /** Ends a search that goes far; it throws the signal's reason then. Only asked for where a search does. */
  readonly signal: AbortSignal;
}

/** Finds the nearest sites that satisfy a query, exactly: at once where all that it needs is in memory. */
export type NearestSearch = (query: NearestQuery, waiting?: Waiting) => Candidate[] | Promise<Candidate[]>;

/**
 * Makes the search for the nearest sites that satisfy a query: no nearer one that would do is left out.
 *
 * What is in memory is looked at first, cell by cell in the order in which they could hold the nearest site. Otherwise the origin's cell and
 * those around it are read. If what is found there is no farther than anything outside could be, that is the answer, in one round trip. Else
 * the Earth is searched best first: regions that have sites, then the occupied cells below them, always the area that could hold the nearest
 * site next, until nothing left could be nearer than the worst of the best.
 *
 * @param wideSearches Where searches that go far wait for their turn: each may go through a continent.
 */
export function createNearestSearch(reader: IndexReader, wideSearches: Turnstile): NearestSearch {
  const near = createSurroundings(nearSurroundings, reader.cell);
  const around = createSurroundings(wideSurroundings, reader.cell);

  function search(context: ScanContext, waiting: Waiting | undefined): Candidate[] | Promise<Candidate[]> {
    const missing: IndexCell[] = [];
    const candidates = tryInMemory(context, missing);
    if (candidates !== undefined) return candidates;
    return readAndSearch(context, missing, waiting);
  }

  /** The answer where it follows from what is in memory. @param missing Takes what would have to be read first */
  function tryInMemory(context: ScanContext, missing: IndexCell[]): Candidate[] | undefined {
    if (context.allowedOperators?.size === 0) return [];
    if (!reader.checkMemory()) return undefined;
    const { query, origin } = context;
    const best = new Best(query.limit, query.radiusM);
    const surroundings = near(origin);
    let outcome = searchInMemory(reader, context, surroundings, best, missing, nearCells);
    // Where there is nothing near, the next site is as likely to be far away, and there are few cells to go through on the way.
    if (outcome === "farther" && surroundings.cells.some((cell) => reader.knownBlock(cell))) {
      best.clear();
      outcome = searchInMemory(reader, context, around(origin), best, missing, firstBlocks);
    }
    return outcome === "done" ? candidatesOf(best, query) : undefined;
  }

  async function readAndSearch(context: ScanContext, missing: readonly IndexCell[], waiting: Waiting | undefined): Promise<Candidate[]> {
    if (missing.length > 0) {
      await reader.blocks(missing);
      const candidates = tryInMemory(context, []);
      if (candidates !== undefined) return candidates;
    }
    const { query } = context;
    const best = new Best(query.limit, query.radiusM);
    const surroundings = near(context.origin);
    const nearest = surroundings.cells.slice(0, nearCells);
    await readBlocks(
      reader,
      context,
      nearest.filter((cell) => mayHaveSites(reader, cell)),
      best,
    );
    if (mayBeBeyond(context, surroundings, nearest.length, best.reachM)) {
      const signal = waiting?.signal;
      const read = new Set(nearest.map(({ cell }) => cell));
      await wideSearches.pass(() => searchWide(reader, context, read, best, signal), signal);
    }
    return candidatesOf(best, query);
  }

  /** The search of a query that names operators. */
  async function searchAmong(query: NearestQuery, making: Promise<ScanContext>, waiting: Waiting | undefined): Promise<Candidate[]> {
    const context = await making;
    const candidates = await search(context, waiting);
    if (candidates.length === 0 || !(await hasRefusedArrived(reader, context))) return candidates;
    return await searchAmong(query, Promise.resolve(createScanContext(reader, query)), waiting);
  }

  return (query, waiting) => {
    const context = createScanContext(reader, query);
    return context instanceof Promise ? searchAmong(query, context, waiting) : search(context, waiting);
  };
}

function candidatesOf({ found }: Best, query: NearestQuery): Candidate[] {
  const candidates: Candidate[] = [];
  for (const site of found) candidates.push(candidateOf(site, query));
  return candidates;
}

/** Whether a cell has sites as far as is known without asking. */
function mayHaveSites(reader: IndexReader, { region, number }: IndexCell): boolean {
  const occupied = reader.knownOccupiedCells(region);
  return occupied === undefined || isOccupied(occupied, number);
}

/** Whether anything outside the first `count` cells could lie within a distance. */
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
  best: Best,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { point, query } = context;
  const frontier = createFrontier<Area | IndexRegion>();
  const push = (node: Area | IndexRegion) => {
    const leastM = node.leastM(point);
    if (leastM <= best.reachM) frontier.push(leastM, node);
  };
  for (const region of await reader.regions(query.countryCodes)) push(region);
  const isOpen = () => frontier.leastM() <= best.reachM && frontier.leastM() !== Number.POSITIVE_INFINITY;
  for (let factor = 1; isOpen(); factor = Math.min(maxFactor, factor * 2)) {
    // A search that finds nothing near goes through a continent: it ends when nobody waits for it any more.
    signal?.throwIfAborted();
    // Others must get their turn meanwhile.
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
    const [directories] = await Promise.all([reader.directories(unknown), readBlocks(reader, context, cells, best)]);
    unknown.forEach((region, index) => {
      enter(region, directories[index] as RegionDirectory);
    });
  }

  function enter(region: IndexRegion, { occupied, lists }: RegionDirectory): void {
    if (!lists.mayFit(query)) return;
    for (const child of region.areas(occupied).children) push(child);
  }
}

async function readBlocks(reader: IndexReader, context: ScanContext, cells: readonly IndexCell[], best: Best): Promise<void> {
  const reading = reader.blocks(cells);
  const blocks = reading instanceof Promise ? await reading : reading;
  for (let index = 0; index < cells.length; index++) {
    const cell = cells[index] as IndexCell;
    const block = blocks[index];
    if (block === undefined || block === null) continue;
    if (!scanBlock(context, cell, block, best)) {
      await reader.refreshLists(cell.region);
      if (!scanBlock(context, cell, block, best)) throw unknownLists(cell);
    }
  }
}
