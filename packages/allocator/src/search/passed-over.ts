import { setImmediate } from "node:timers/promises";
import { formatSiteId, type PassedOverReason, type Region } from "@petak/protocol";
import { observationAt } from "../block/decoded-block.ts";
import { countryOffset, freeOffset, openingHoursOffset, recordBytes } from "../block/record.ts";
import type { SizeClassFacts } from "../block/size-profile.ts";
import { isKnownAt } from "../capacity/observation.ts";
import { leastDistanceM } from "../geo/cell-bound.ts";
import { greatCircleM } from "../geo/great-circle.ts";
import { quantise, unitsPerDegree } from "../geo/position.ts";
import { descendantCell, indexResolution, regionCell, regionResolution } from "../geo/region.ts";
import type { Candidate } from "./candidate.ts";
import type { IndexReader } from "./index-reader.ts";
import { createJudge, placeReason } from "./judge.ts";
import type { CellInRegion } from "./neighbourhood.ts";
import { type Area, occupiedChildren } from "./occupied-cells.ts";
import { type NearestQuery, networkFilter } from "./query.ts";
import type { ScanContext } from "./scan-block.ts";
import { createScanContext, refreshLists } from "./scan-context.ts";
import type { Turnstile } from "./turnstile.ts";

/** The sites that a query passed over. */
export interface PassedOverSites {
  /** How far from the origin they were counted, in m, included. */
  withinM: number;
  /** How many sites for each reason that any was passed over for. */
  counts: ReadonlyMap<PassedOverReason, number>;
}

/** The greatest distance within which sites are counted, in m: a whole city and what is around it. */
const countedWithinMaxM = 50_000;

/** Blocks that one round trip reads at most. */
const blocksAtOnce = 512;

/**
 * Counts the sites of the caller's network that a query passed over: as far as the farthest candidate where there are as many as it asked
 * for, else as far as its radius, and never beyond {@link countedWithinMaxM}.
 *
 * It looks at every site of that area, after the search and apart from it, so that a search that nobody wants explained costs nothing more.
 *
 * @param candidates What the query found, nearest first.
 */
export async function countPassedOver(
  reader: IndexReader,
  wideSearches: Turnstile,
  query: NearestQuery,
  candidates: readonly Candidate[],
  signal?: AbortSignal,
): Promise<PassedOverSites> {
  const farthestM = candidates.length >= query.limit ? candidates.at(-1)?.distanceM : undefined;
  const withinM = Math.min(farthestM ?? query.radiusM, countedWithinMaxM);
  const counts = new Map<PassedOverReason, number>();
  const context = await createScanContext(reader, { ...query, origin: quantise(query.origin) });
  const found = new Set(candidates.map(({ siteId }) => siteId));
  const count = createBlockCounter(reader, context, withinM, found);
  await wideSearches.pass(async () => {
    const cells = await occupiedCellsWithin(reader, context.query, withinM);
    for (let from = 0; from < cells.length; from += blocksAtOnce) {
      signal?.throwIfAborted();
      // Others must get their turn meanwhile.
      if (from > 0) await setImmediate();
      const batch = cells.slice(from, from + blocksAtOnce);
      const blocks = await reader.blocks(batch);
      for (const [index, { region }] of batch.entries()) {
        const block = blocks[index];
        if (block === undefined || block === null) continue;
        let reasons = count(region, block.bytes);
        if (reasons === undefined) {
          await refreshLists(reader, region);
          reasons = count(region, block.bytes);
        }
        if (reasons === undefined) throw new Error(`a block names a size profile or opening hours that region ${region} does not have`);
        for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
      }
    }
  }, signal);
  return { withinM, counts: new Map([...counts].sort(([a], [b]) => a - b)) };
}

/** The cells that have a block and could hold a site within a distance. */
async function occupiedCellsWithin(reader: IndexReader, { origin }: NearestQuery, withinM: number): Promise<CellInRegion[]> {
  const isWithin = (cell: string) => leastDistanceM(origin, cell) <= withinM;
  const regions = (await reader.regions()).filter((region) => isWithin(regionCell(region)));
  const bitmaps = await reader.occupiedCells(regions);
  const cells: CellInRegion[] = [];
  const descend = (area: Area, bitmap: Buffer) => {
    for (const child of occupiedChildren(area, bitmap)) {
      const cell = descendantCell(child.region, child.digits);
      if (!isWithin(cell)) continue;
      if (child.digits.length === indexResolution - regionResolution) cells.push({ cell, region: child.region });
      else descend(child, bitmap);
    }
  };
  regions.forEach((region, index) => {
    descend({ region, digits: [], firstCell: 0 }, bitmaps[index] ?? Buffer.alloc(0));
  });
  return cells;
}

/** Gives the reason of each site of a block that was passed over; undefined where a profile or opening hours are not known yet. */
function createBlockCounter(reader: IndexReader, context: ScanContext, withinM: number, found: ReadonlySet<string>) {
  const { query } = context;
  const network = networkFilter(query);
  const judge = createJudge(query);
  const remembered = new Map<readonly SizeClassFacts[], PassedOverReason | undefined>();

  function reasonOf(profile: readonly SizeClassFacts[]): PassedOverReason | undefined {
    if (!remembered.has(profile)) remembered.set(profile, placeReason(query, profile));
    return remembered.get(profile);
  }

  return (region: Region, block: Buffer): PassedOverReason[] | undefined => {
    const reasons: PassedOverReason[] = [];
    for (let offset = 0; offset + recordBytes <= block.length; offset += recordBytes) {
      const flags = block.readUInt32LE(offset + 16);
      if ((flags & network.mask) !== network.value) continue;
      const position = {
        latitude: block.readInt32LE(offset + 4) / unitsPerDegree,
        longitude: block.readInt32LE(offset + 8) / unitsPerDegree,
      };
      if (greatCircleM(query.origin, position) > withinM) continue;
      if (found.has(formatSiteId(region, block.readUInt32LE(offset)))) continue;
      const operatorNumber = block.readUInt16LE(offset + 20);
      const profileNumber = block.readUInt16LE(offset + 22);
      const profile = reader.profile(region, profileNumber);
      const isOpen = context.isOpen === undefined ? true : context.isOpen(region, block.readUInt16LE(offset + openingHoursOffset));
      if (profile === undefined || isOpen === undefined) return undefined;
      const reason = judge({
        flags,
        isWantedOperator: context.allowedOperators?.has(operatorNumber) !== false && !context.excludedOperators.has(operatorNumber),
        country: block.readUInt16LE(offset + countryOffset),
        placeReason: reasonOf(profile),
        isOpen: () => isOpen,
        isKnown: () => query.knownAtMs === undefined || isKnownAt(observationAt(block, offset), query.knownAtMs),
        isFree: () => context.fitting(region, profileNumber)?.some((index) => (block[offset + freeOffset + index] ?? 0) > 0) ?? false,
      });
      if (reason !== undefined) reasons.push(reason);
    }
    return reasons;
  };
}
