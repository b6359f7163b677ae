import { type DecodedBlock, placeNumbers } from "../block/decoded-block.ts";
import { isKnownAt } from "../block/observation.ts";
import { greatCircleByCosinesM } from "../geo/great-circle.ts";
import type { Position } from "../geo/position.ts";
import { surelyBeyond, type UnitPoint } from "../geo/unit-point.ts";
import type { IndexCell } from "../h3-index/index-cell.ts";
import type { IndexRegion, RegionProfile } from "../h3-index/index-region.ts";
import type { FlagFilter, NearestQuery } from "../query/query.ts";
import type { Best } from "./best.ts";

/** What does not change from block to block of a query. */
export interface ScanContext {
  query: NearestQuery;
  /** The query's origin, as the index keeps positions. */
  origin: Position;
  /** The same as a point of a sphere of radius 1. */
  point: UnitPoint;
  /** The cosine of its latitude. */
  cosine: number;
  filter: FlagFilter;
  /** Operator numbers allowed; undefined: all. */
  allowedOperators: ReadonlySet<number> | undefined;
  /** Operator numbers refused; undefined: none. */
  excludedOperators: ReadonlySet<number> | undefined;
  /** How many of the operators that the query refuses had no number, and so no site, when the context was made. */
  refusedWithoutNumber: number;
  /** Countries allowed, as records have them; empty: all. */
  countries: readonly number[];
  /** Whether a site with these opening hours is open as asked; undefined where they are not known yet. Left out: any hours will do. */
  isOpen: ((region: IndexRegion, hoursNumber: number) => boolean | undefined) | undefined;
}

/** A bit for each size class that a site may have. */
const everyClass = 0xff;

/**
 * Offers every site of a block that satisfies the query. Returns false where a profile or opening hours are not known yet: then none was
 * offered.
 *
 * What costs next to nothing and what most sites fail is looked at first; country and hours only of a site that would be offered otherwise.
 */
export function scanBlock(context: ScanContext, cell: IndexCell, block: DecodedBlock, best: Best): boolean {
  const { query, origin, point, cosine, filter, allowedOperators, excludedOperators, countries } = context;
  const { mask, value } = filter;
  if ((block.someFlags & value) !== value || (block.allFlags & mask & ~value) !== 0) return true;
  if (countries.length > 0 && !block.countries.some((country) => countries.includes(country))) return true;
  const { profiles } = cell.region.lists;
  const { profileNumbers, profileSlots, freeOfSlot, flags, free, places } = block;
  let isAnyFree = false;
  const countsAsFree = query.includesFull === true ? everyClass : 0;
  for (let slot = 0; slot < profileNumbers.length; slot++) {
    const profile = profiles[profileNumbers[slot] as number];
    if (profile === undefined) return false;
    if ((profile.fitting(query) & ((freeOfSlot[slot] as number) | countsAsFree)) !== 0) isAnyFree = true;
  }
  if (context.isOpen !== undefined && !areHoursKnown(context.isOpen, cell, block)) return false;
  if (!isAnyFree) return true;
  const [x, y, z] = point;
  let beyond = surelyBeyond(best.reachM);
  for (let index = 0; index < block.count; index++) {
    if (((flags[index] as number) & mask) !== value) continue;
    const at = index * placeNumbers;
    const dx = (places[at] as number) - x;
    const dy = (places[at + 1] as number) - y;
    const dz = (places[at + 2] as number) - z;
    if (dx * dx + dy * dy + dz * dz > beyond) continue;
    const profile = profiles[profileNumbers[profileSlots[index] as number] as number] as RegionProfile;
    if ((profile.fitting(query) & ((free[index] as number) | countsAsFree)) === 0) continue;
    if (allowedOperators !== undefined && !allowedOperators.has(block.operatorNumber(index))) continue;
    if (excludedOperators?.has(block.operatorNumber(index)) === true) continue;
    if (countries.length > 0 && !countries.includes(block.country(index))) continue;
    const distanceM = greatCircleByCosinesM(
      origin.latitude,
      origin.longitude,
      cosine,
      places[at + 3] as number,
      places[at + 4] as number,
      places[at + 5] as number,
    );
    if (distanceM > best.reachM) continue;
    if (query.knownAtMs !== undefined && !isKnownAt(block.observation(index), query.knownAtMs)) continue;
    if (context.isOpen?.(cell.region, block.hoursNumber(index)) === false) continue;
    best.offer({ distanceM, cell, block, index, profile });
    beyond = surelyBeyond(best.reachM);
  }
  return true;
}

/** Whether it is known of all opening hours in a block what a query says of them. */
function areHoursKnown(isOpen: NonNullable<ScanContext["isOpen"]>, { region }: IndexCell, { hoursNumbers }: DecodedBlock): boolean {
  return hoursNumbers.every((number) => isOpen(region, number) !== undefined);
}
