import { setImmediate } from "node:timers/promises";
import type { Region } from "@petak/protocol";
import { leastDistanceM } from "../geo/cell-bound.ts";
import { quantise } from "../geo/position.ts";
import { descendantCell, indexCellOf, indexResolution, regionCell, regionResolution } from "../geo/region.ts";
import { type Best, createBest } from "./best.ts";
import type { Candidate } from "./candidate.ts";
import { createFrontier } from "./frontier.ts";
import type { IndexReader } from "./index-reader.ts";
import { type CellInRegion, leastDistanceBeyondM, neighbourhoodOf } from "./neighbourhood.ts";
import { type Area, occupiedChildren } from "./occupied-cells.ts";
import type { NearestQuery } from "./query.ts";
import { type ScanContext, scanBlock } from "./scan-block.ts";
import { createScanContext, refreshLists } from "./scan-context.ts";
import type { Turnstile } from "./turnstile.ts";

/** How many blocks, and how many regions' bitmaps, the first wide round trip reads at most. Each further one doubles both, to a bound. */
const firstBlocks = 32;
const firstRegions = 8;
const maxFactor = 16;

const noCells = Buffer.alloc(0);

/**
 * The nearest sites that satisfy a query, exactly: no nearer one that would do is left out.
 *
 * First the origin's cell and those around it are read. If what is found there is no farther than anything outside could be, that is the
 * answer, in one round trip. Otherwise the Earth is searched best first: regions that have sites, then the occupied cells below them,
 * always the area that could hold the nearest site next, until nothing left could be nearer than the worst of the best.
 *
 * @param wideSearches Where searches that go far wait for their turn: each may go through a continent.
 * @param signal Ends a search that goes far; it throws the signal's reason then.
 */
export async function findNearest(
  reader: IndexReader,
  wideSearches: Turnstile,
  query: NearestQuery,
  signal?: AbortSignal,
): Promise<Candidate[]> {
  const origin = quantise(query.origin);
  const context = await createScanContext(reader, { ...query, origin });
  if (context.allowedOperators?.size === 0) return [];
  const best = createBest(query.limit, query.radiusM);
  const neighbourhood = neighbourhoodOf(indexCellOf(origin));
  await readBlocks(reader, context, neighbourhood.near, best);
  const reachM = best.reachM();
  if (reachM >= neighbourhood.leastBeyondM && reachM >= leastDistanceBeyondM(origin, neighbourhood)) {
    const read = new Set(neighbourhood.near.map(({ cell }) => cell));
    await wideSearches.pass(() => searchWide(reader, context, read, best, signal), signal);
  }
  return best.take();
}

async function searchWide(reader: IndexReader, context: ScanContext, read: Set<string>, best: Best, signal?: AbortSignal): Promise<void> {
  const { origin } = context.query;
  const frontier = createFrontier<Area>();
  const bitmaps = new Map<Region, Buffer>();
  for (const region of await reader.regions(context.query.countryCodes)) {
    frontier.push(leastDistanceM(origin, regionCell(region)), { region, digits: [], firstCell: 0 });
  }
  const isOpen = () => frontier.leastM() <= best.reachM() && frontier.leastM() !== Number.POSITIVE_INFINITY;
  for (let factor = 1; isOpen(); factor = Math.min(maxFactor, factor * 2)) {
    // A search that finds nothing near goes through a continent: it ends when nobody waits for it any more.
    signal?.throwIfAborted();
    // Others must get their turn meanwhile.
    if (factor > 1) await setImmediate();
    const cells: CellInRegion[] = [];
    const unknown: Area[] = [];
    while (cells.length < firstBlocks * factor && unknown.length < firstRegions * factor && isOpen()) {
      const area = frontier.pop();
      if (area === undefined) break;
      const bitmap = bitmaps.get(area.region) ?? knownBitmap(area.region);
      if (bitmap === undefined) {
        unknown.push(area);
      } else if (area.digits.length === indexResolution - regionResolution) {
        const cell = descendantCell(area.region, area.digits);
        if (!read.has(cell)) cells.push({ cell, region: area.region });
      } else {
        for (const child of occupiedChildren(area, bitmap)) {
          frontier.push(leastDistanceM(origin, descendantCell(child.region, child.digits)), child);
        }
      }
    }
    const [fetched] = await Promise.all([
      reader.occupiedCells(unknown.map(({ region }) => region)),
      readBlocks(reader, context, cells, best),
    ]);
    unknown.forEach((area, index) => {
      bitmaps.set(area.region, mayFit(area.region) ? (fetched[index] ?? noCells) : noCells);
      frontier.push(leastDistanceM(origin, regionCell(area.region)), area);
    });
  }

  function knownBitmap(region: Region): Buffer | undefined {
    const bitmap = reader.knownOccupiedCells(region);
    if (bitmap === undefined) return undefined;
    const useful = mayFit(region) ? bitmap : noCells;
    bitmaps.set(region, useful);
    return useful;
  }

  function mayFit(region: Region): boolean {
    return reader.someProfile(region, (profileNumber) => (context.fitting(region, profileNumber)?.length ?? 0) > 0);
  }
}

async function readBlocks(reader: IndexReader, context: ScanContext, cells: CellInRegion[], best: Best): Promise<void> {
  const reading = reader.blocks(cells);
  const blocks = reading instanceof Promise ? await reading : reading;
  for (let index = 0; index < cells.length; index++) {
    const { cell, region } = cells[index] as CellInRegion;
    const block = blocks[index];
    if (block === undefined || block === null) continue;
    if (!scanBlock(context, region, cell, block, best)) {
      await refreshLists(reader, region);
      if (!scanBlock(context, region, cell, block, withoutRepeats(best))) {
        throw new Error(`block ${cell} names a size profile or opening hours that region ${region} does not have`);
      }
    }
  }
}

/** Offers of a block that is scanned a second time, without those that went in the first time. */
function withoutRepeats(best: Best): Best {
  const known = new Set(best.take().map(({ siteId }) => siteId));
  return {
    ...best,
    offer: (candidate) => {
      if (!known.has(candidate.siteId)) best.offer(candidate);
    },
  };
}
