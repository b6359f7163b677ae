import { greatCircleByCosinesM, type Position } from "@petak/protocol/geo";
import { coordinatesPerSite, type DecodedBlock } from "../block/decoded-block.ts";
import { isKnownAt } from "../block/observation.ts";
import { squaredChordBound, type UnitPoint } from "../geo/unit-point.ts";
import type { IndexCell } from "../h3-index/index-cell.ts";
import type { IndexRegion, RegionProfile } from "../h3-index/index-region.ts";
import type { FlagFilter, NearestQuery } from "../query/query.ts";
import type { NearestK } from "./nearest-k.ts";

/** The parts of a query that are the same for every block. */
export interface ScanContext {
  query: NearestQuery;
  /** When it was created, in ms of the reader's monotonic clock. */
  startedMs: number;
  /** The query's origin, rounded to the precision of the index. */
  origin: Position;
  /** The origin on the unit sphere. */
  point: UnitPoint;
  /** Cosine of the origin's latitude. */
  cosine: number;
  filter: FlagFilter;
  /** Accepted operator numbers; undefined: all. */
  allowedOperators: ReadonlySet<number> | undefined;
  /** Excluded operator numbers; undefined: none. */
  excludedOperators: ReadonlySet<number> | undefined;
  /** Number of excluded operators that had no operator number, hence no site, when the context was created. */
  excludedWithoutNumber: number;
  /** Accepted countries, in the form of {@link countryNumber}; empty: all. */
  countries: readonly number[];
  /**
   * Whether a site with these opening hours satisfies the query; its result is undefined if they are not known yet. Undefined if the query
   * does not ask.
   */
  isOpen: ((region: IndexRegion, hoursNumber: number) => boolean | undefined) | undefined;
}

/** One bit for each size class that a site may have. */
const everyClass = 0xff;

/**
 * Offers every site of a block that satisfies the query. Returns false, having offered none, if a profile or opening hours are not known
 * yet.
 *
 * Cheap tests that exclude most sites come first; observation and hours are checked last.
 */
export function scanBlock(context: ScanContext, cell: IndexCell, block: DecodedBlock, nearestK: NearestK): boolean {
  const { query, startedMs, origin, point, cosine, filter, allowedOperators, excludedOperators, countries } = context;
  const { mask, value } = filter;
  if ((block.someFlags & value) !== value || (block.allFlags & mask & ~value) !== 0) return true;
  if (countries.length > 0 && !block.countries.some((country) => countries.includes(country))) return true;
  const slotProfiles = profilesOf(cell, block, startedMs);
  if (slotProfiles === undefined) return false;
  const { profileIndexes, freeOfProfile, flags, free, coordinates } = block;
  let isAnyFree = false;
  const countsAsFree = query.includesFull === true ? everyClass : 0;
  for (let slot = 0; slot < slotProfiles.length; slot++) {
    const profile = slotProfiles[slot] as RegionProfile;
    if ((profile.fitting(query) & ((freeOfProfile[slot] as number) | countsAsFree)) !== 0) isAnyFree = true;
  }
  if (context.isOpen !== undefined && !areHoursKnown(context.isOpen, cell, block)) return false;
  if (!isAnyFree) return true;
  const [x, y, z] = point;
  let beyond = squaredChordBound(nearestK.reachM);
  for (let index = 0; index < block.count; index++) {
    if (((flags[index] as number) & mask) !== value) continue;
    const at = index * coordinatesPerSite;
    const dx = (coordinates[at] as number) - x;
    const dy = (coordinates[at + 1] as number) - y;
    const dz = (coordinates[at + 2] as number) - z;
    if (dx * dx + dy * dy + dz * dz > beyond) continue;
    const profile = slotProfiles[profileIndexes[index] as number] as RegionProfile;
    if ((profile.fitting(query) & ((free[index] as number) | countsAsFree)) === 0) continue;
    if (allowedOperators !== undefined && !allowedOperators.has(block.operatorNumber(index))) continue;
    if (excludedOperators?.has(block.operatorNumber(index)) === true) continue;
    if (countries.length > 0 && !countries.includes(block.country(index))) continue;
    const distanceM = greatCircleByCosinesM(
      origin.latitude,
      origin.longitude,
      cosine,
      coordinates[at + 3] as number,
      coordinates[at + 4] as number,
      coordinates[at + 5] as number,
    );
    if (distanceM > nearestK.reachM) continue;
    if (query.knownAtMs !== undefined && !isKnownAt(block.observation(index), query.knownAtMs)) continue;
    if (context.isOpen?.(cell.region, block.hoursNumber(index)) === false) continue;
    nearestK.offer({ distanceM, cell, block, index, profile });
    beyond = squaredChordBound(nearestK.reachM);
  }
  return true;
}

/** The profile of each slot of a block; undefined if one is not known yet. Looked up once for each version of the list. */
function profilesOf({ region }: IndexCell, block: DecodedBlock, nowMs: number): readonly RegionProfile[] | undefined {
  const { profiles } = region.lists;
  if (!profiles.isUsable(nowMs)) return undefined;
  const { lookedUp } = block;
  if (lookedUp?.version === profiles.version) return lookedUp.items as readonly RegionProfile[];
  const items: RegionProfile[] = [];
  for (const number of block.profileNumbers) {
    const profile = profiles.item(number, nowMs);
    if (profile === undefined) return undefined;
    items.push(profile);
  }
  block.lookedUp = { version: profiles.version, items };
  return items;
}

/** Whether all opening hours numbers in a block are known. */
function areHoursKnown(isOpen: NonNullable<ScanContext["isOpen"]>, { region }: IndexCell, { hoursNumbers }: DecodedBlock): boolean {
  return hoursNumbers.every((number) => isOpen(region, number) !== undefined);
}
