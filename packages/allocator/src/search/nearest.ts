import { setImmediate } from "node:timers/promises";
import type { Region } from "@petak/protocol";
import { leastDistanceM } from "../geo/cell-bound.ts";
import { quantise } from "../geo/position.ts";
import { cellsPerRegion, descendantCell, indexCellOf, indexResolution, regionCell, regionResolution } from "../geo/region.ts";
import { type Best, createBest } from "./best.ts";
import type { Candidate } from "./candidate.ts";
import { createFrontier } from "./frontier.ts";
import type { IndexReader } from "./index-reader.ts";
import { type CellInRegion, leastDistanceBeyondM, neighbourhoodOf } from "./neighbourhood.ts";
import { flagFilter, type NearestQuery } from "./query.ts";
import { type ScanContext, scanBlock } from "./scan-block.ts";
import type { Turnstile } from "./turnstile.ts";

/** A part of the Earth that may still hold a candidate: a region, or the cell reached from it by H3 digits. */
interface Area {
  region: Region;
  digits: readonly number[];
  /** Number, among the region's index cells, of the first one below this area. */
  firstCell: number;
}

/** How many blocks, and how many regions' bitmaps, the first wide round trip reads at most. Each further one doubles both, to a bound. */
const firstBlocks = 32;
const firstRegions = 8;
const maxFactor = 16;

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
  const context = await scanContext(reader, { ...query, origin });
  if (context.allowedOperators?.size === 0) return [];
  const best = createBest(query.limit, query.radiusM);
  const neighbourhood = neighbourhoodOf(indexCellOf(origin));
  await readBlocks(reader, context, neighbourhood.near, best);
  if (best.reachM() >= leastDistanceBeyondM(origin, neighbourhood)) {
    const read = new Set(neighbourhood.near.map(({ cell }) => cell));
    await wideSearches.pass(() => searchWide(reader, context, read, best, signal), signal);
  }
  return best.take();
}

async function searchWide(reader: IndexReader, context: ScanContext, read: Set<string>, best: Best, signal?: AbortSignal): Promise<void> {
  const { origin } = context.query;
  const frontier = createFrontier<Area>();
  const bitmaps = new Map<Region, Buffer>();
  for (const region of await reader.regions()) {
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
      const bitmap = bitmaps.get(area.region);
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
      const mayFit = reader.someProfile(area.region, (profileNumber) => (context.fitting(area.region, profileNumber)?.length ?? 0) > 0);
      if (!mayFit) return;
      bitmaps.set(area.region, fetched[index] ?? Buffer.alloc(0));
      frontier.push(leastDistanceM(origin, regionCell(area.region)), area);
    });
  }
}

function* occupiedChildren({ region, digits, firstCell }: Area, bitmap: Buffer): Generator<Area> {
  const cellsPerChild = cellsPerRegion / 7 ** (digits.length + 1);
  for (let digit = 0; digit < 7; digit++) {
    const childFirstCell = firstCell + digit * cellsPerChild;
    if (anyBit(bitmap, childFirstCell, childFirstCell + cellsPerChild)) {
      yield { region, digits: [...digits, digit], firstCell: childFirstCell };
    }
  }
}

/** Whether a bit in [from, to) is set, bits counted as Redis counts them: the most significant of a byte first. */
function anyBit(bitmap: Buffer, from: number, to: number): boolean {
  for (let bit = from; bit < to; ) {
    const byte = bitmap[bit >> 3];
    if (byte === undefined) return false;
    if (byte === 0) {
      bit = (bit | 7) + 1;
    } else if ((byte & (0x80 >> (bit & 7))) !== 0) {
      return true;
    } else {
      bit++;
    }
  }
  return false;
}

async function readBlocks(reader: IndexReader, context: ScanContext, cells: CellInRegion[], best: Best): Promise<void> {
  const blocks = await reader.blocks(cells);
  for (let index = 0; index < cells.length; index++) {
    const { cell, region } = cells[index] as CellInRegion;
    const block = blocks[index];
    if (block === undefined) continue;
    if (!scanBlock(context, region, cell, block, best)) {
      await reader.refreshProfiles(region);
      if (!scanBlock(context, region, cell, block, withoutRepeats(best))) {
        throw new Error(`block ${cell} names a size profile that region ${region} does not have`);
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

async function scanContext(reader: IndexReader, query: NearestQuery): Promise<ScanContext> {
  const [allowed, excluded] = await Promise.all([
    reader.operatorNumbers(query.operatorIds),
    reader.operatorNumbers(query.excludedOperatorIds),
  ]);
  const fitting = reader.fittingLookup(query.parcel);
  return {
    query,
    filter: flagFilter(query),
    allowedOperators: query.operatorIds.length === 0 ? undefined : allowed,
    excludedOperators: excluded,
    fitting,
  };
}
