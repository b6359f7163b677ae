import { setImmediate } from "node:timers/promises";
import type { PassedOverReason } from "@petak/protocol";
import { greatCircleM } from "@petak/protocol/geo";
import type { DecodedBlock } from "../block/decoded-block.ts";
import { isKnownAt, type Observation } from "../block/observation.ts";
import { leastDistanceM } from "../geo/cell-bound.ts";
import { regionCell } from "../geo/region.ts";
import type { Area } from "../h3-index/area.ts";
import type { IndexCell } from "../h3-index/index-cell.ts";
import type { IndexReader, RegionDirectory } from "../h3-index/index-reader.ts";
import type { RegionProfile } from "../h3-index/index-region.ts";
import { createJudge, placeReason } from "../query/judge.ts";
import { type NearestQuery, networkFilter } from "../query/query.ts";
import type { Candidate } from "./candidate.ts";
import type { ConcurrencyLimit } from "./concurrency-limit.ts";
import { evaluateBlock } from "./evaluate-block.ts";
import type { ScanContext } from "./scan-block.ts";
import { createScanContext, hasExcludedOperatorAppeared } from "./scan-context.ts";

/** A site that a query excluded. */
export interface PassedOverSite {
  siteId: string;
  /** Great-circle distance from the origin in m. */
  distanceM: number;
  /** Revision of the site's facts in the index. */
  revision: number;
  /** The first reason, in numerical order. */
  reason: PassedOverReason;
  /** When the site's operator reported the counts; undefined if the gateway's own counts apply. */
  observation: Observation | undefined;
}

/** The sites that a query excluded. */
export interface PassedOverSites {
  /** Radius around the origin in which they were counted, in m, inclusive. */
  withinM: number;
  /** Number of sites for each reason that occurred. */
  counts: ReadonlyMap<PassedOverReason, number>;
  /** The nearest of them, nearest first. */
  nearest: readonly PassedOverSite[];
}

/** What {@link countPassedOver} finds out. */
export interface CountPassedOverOptions {
  /** Greatest number of sites that it names. Default 0. */
  limit?: number;
  signal?: AbortSignal | undefined;
}

/** Greatest radius in which sites are counted, in m: a city and its surroundings. */
const countedWithinMaxM = 50_000;

/** Sites kept before those that are not among the nearest are dropped. */
const keptMax = 1000;

/** Greatest number of blocks read in one round trip. */
const blocksAtOnce = 512;

/**
 * Counts the sites of the caller's network that a query excluded, and names the nearest: up to the farthest candidate if the limit was reached, else up to the
 * query's radius, and never beyond {@link countedWithinMaxM}.
 *
 * It checks every site in that area, separately from the search, so that searches without an explanation cost nothing more.
 *
 * @param candidates The result of the query, nearest first.
 */
export async function countPassedOver(
  reader: IndexReader,
  wideSearches: ConcurrencyLimit,
  query: NearestQuery,
  candidates: readonly Candidate[],
  { limit = 0, signal }: CountPassedOverOptions = {},
): Promise<PassedOverSites> {
  const farthestM = candidates.length >= query.limit ? candidates.at(-1)?.distanceM : undefined;
  const withinM = Math.min(farthestM ?? query.radiusM, countedWithinMaxM);
  const found = new Set(candidates.map(({ siteId }) => siteId));
  for (;;) {
    const context = await createScanContext(reader, query);
    const tally = createTally(limit);
    await wideSearches.run(() => countIn(reader, context, withinM, found, tally, signal), signal);
    if (await hasExcludedOperatorAppeared(reader, context)) continue;
    return { withinM, ...tally.result() };
  }
}

/** Counts sites, and keeps the nearest. */
interface Tally {
  add(site: PassedOverSite): void;
  result(): Pick<PassedOverSites, "counts" | "nearest">;
}

function createTally(limit: number): Tally {
  const counts = new Map<PassedOverReason, number>();
  let kept: PassedOverSite[] = [];
  const keepNearest = () => {
    kept = kept.sort((a, b) => a.distanceM - b.distanceM || (a.siteId < b.siteId ? -1 : 1)).slice(0, limit);
  };
  return {
    add(site) {
      counts.set(site.reason, (counts.get(site.reason) ?? 0) + 1);
      if (limit === 0) return;
      kept.push(site);
      if (kept.length > keptMax) keepNearest();
    },
    result() {
      keepNearest();
      return { counts: new Map([...counts].sort(([a], [b]) => a - b)), nearest: kept };
    },
  };
}

async function countIn(
  reader: IndexReader,
  context: ScanContext,
  withinM: number,
  found: ReadonlySet<string>,
  tally: Tally,
  signal: AbortSignal | undefined,
): Promise<void> {
  const count = createBlockCounter(context, withinM, found);
  const cells = await occupiedCellsWithin(reader, context, withinM);
  for (let from = 0; from < cells.length; from += blocksAtOnce) {
    signal?.throwIfAborted();
    // Yields to other work.
    if (from > 0) await setImmediate();
    const batch = cells.slice(from, from + blocksAtOnce);
    const blocks = await reader.blocks(batch);
    for (const [index, cell] of batch.entries()) {
      const block = blocks[index];
      if (block === undefined || block === null) continue;
      const sites = await evaluateBlock(reader, cell, block, (current) => count(cell, current));
      for (const site of sites ?? []) tally.add(site);
    }
  }
}

/** The cells that have a block and could contain a site within a distance. */
async function occupiedCellsWithin(reader: IndexReader, { origin, point }: ScanContext, withinM: number): Promise<IndexCell[]> {
  const regions = (await reader.regions()).filter(({ region }) => leastDistanceM(origin, regionCell(region)) <= withinM);
  const directories = await reader.directories(regions);
  const cells: IndexCell[] = [];
  const descend = (area: Area) => {
    if (area.leastM(point) > withinM) return;
    if (area.isIndexCell) cells.push(reader.cell(area.cell));
    else for (const child of area.children) descend(child);
  };
  regions.forEach((region, index) => {
    descend(region.areas((directories[index] as RegionDirectory).occupied));
  });
  return cells;
}

/**
 * Returns a function that gives the sites of a block that were excluded; undefined if a profile or opening hours are not known yet.
 */
function createBlockCounter(context: ScanContext, withinM: number, found: ReadonlySet<string>) {
  const { query, startedMs, origin, isOpen, allowedOperators, excludedOperators } = context;
  const network = networkFilter(query);
  const judge = createJudge(query);
  const reasonOfProfile = new Map<RegionProfile, PassedOverReason | undefined>();

  function reasonOf(profile: RegionProfile): PassedOverReason | undefined {
    if (!reasonOfProfile.has(profile)) reasonOfProfile.set(profile, placeReason(query, profile.classes));
    return reasonOfProfile.get(profile);
  }

  return ({ region }: IndexCell, block: DecodedBlock): PassedOverSite[] | undefined => {
    const sites: PassedOverSite[] = [];
    for (let index = 0; index < block.count; index++) {
      const flags = block.flags[index] as number;
      if ((flags & network.mask) !== network.value) continue;
      const distanceM = greatCircleM(origin, block.position(index));
      if (distanceM > withinM) continue;
      const siteId = block.siteId(index, region.region);
      if (found.has(siteId)) continue;
      const operatorNumber = block.operatorNumber(index);
      const profile = region.lists.profiles.item(block.profileNumber(index), startedMs);
      const isOpenAsAsked = isOpen === undefined ? true : isOpen(region, block.hoursNumber(index));
      if (profile === undefined || isOpenAsAsked === undefined) return undefined;
      const observation = block.observation(index);
      const reason = judge({
        flags,
        isWantedOperator: allowedOperators?.has(operatorNumber) !== false && excludedOperators?.has(operatorNumber) !== true,
        country: block.country(index),
        placeReason: reasonOf(profile),
        isOpen: () => isOpenAsAsked,
        isKnown: () => query.knownAtMs === undefined || isKnownAt(observation, query.knownAtMs),
        isFree: () => (profile.fitting(query) & (block.free[index] as number)) !== 0,
      });
      if (reason !== undefined) sites.push({ siteId, distanceM, revision: block.revision(index), reason, observation });
    }
    return sites;
  };
}
