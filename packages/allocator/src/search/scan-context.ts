import { quantise, radiansPerDegree } from "@petak/protocol/geo";
import { countryNumber } from "../block/record.ts";
import { unitPoint } from "../geo/unit-point.ts";
import type { IndexReader } from "../h3-index/index-reader.ts";
import { isOpenAt, openMsWithin } from "../hours/is-open.ts";
import type { OpeningTimes } from "../hours/opening-times.ts";
import { flagFilter, type NearestQuery, type SiteNeeds } from "../query/query.ts";
import type { ScanContext } from "./scan-block.ts";

/** Creates the scan context of a query. Synchronous for most queries, which name no operator. */
export function createScanContext(reader: IndexReader, query: NearestQuery): ScanContext | Promise<ScanContext> {
  const allowed = reader.operatorNumbers(query.operatorIds);
  const excluded = reader.operatorNumbers(query.excludedOperatorIds);
  if (!(allowed instanceof Promise) && !(excluded instanceof Promise)) return contextOf(query, reader.nowMs(), allowed, excluded);
  return Promise.all([allowed, excluded]).then((numbers) => contextOf(query, reader.nowMs(), ...numbers));
}

function contextOf(query: NearestQuery, startedMs: number, allowed: Numbers, excluded: Numbers): ScanContext {
  const { operatorIds, countryCodes = [], needs } = query;
  const origin = quantise(query.origin);
  return {
    query,
    startedMs,
    origin,
    point: unitPoint(origin),
    cosine: Math.cos(origin.latitude * radiansPerDegree),
    filter: flagFilter(query),
    allowedOperators: operatorIds.length === 0 ? undefined : allowed,
    excludedOperators: excluded.size === 0 ? undefined : excluded,
    excludedWithoutNumber: new Set(query.excludedOperatorIds).size - excluded.size,
    countries: countryCodes.map(countryNumber),
    isOpen: needs === undefined ? undefined : openLookup(needs, startedMs),
  };
}

type Numbers = ReadonlySet<number>;

/**
 * Whether an excluded operator got its first site after the context was created: blocks read since may contain it. An operator gets its
 * number before its first site is added to the index. Accepted operators need no such check: their site came after the query.
 */
export async function hasExcludedOperatorAppeared(
  reader: IndexReader,
  { query, excludedWithoutNumber, excludedOperators }: ScanContext,
): Promise<boolean> {
  if (excludedWithoutNumber === 0) return false;
  return (await reader.operatorNumbers(query.excludedOperatorIds)).size !== (excludedOperators?.size ?? 0);
}

/** Whether a site with these hours satisfies a query. `times` is undefined for a site that is always open. */
export function isOpenAsAsked({ openAtMs, openWithin }: SiteNeeds, times: OpeningTimes | undefined): boolean {
  if (times === undefined) return openWithin === undefined || openWithin.toMs - openWithin.fromMs >= openWithin.atLeastMs;
  if (openAtMs !== undefined && !isOpenAt(times, openAtMs)) return false;
  return openWithin === undefined || openMsWithin(times, openWithin.fromMs, openWithin.toMs) >= openWithin.atLeastMs;
}

/** Memoises the decision for each of a region's opening times. Undefined if the query has no constraint on hours. */
function openLookup(needs: SiteNeeds, startedMs: number): ScanContext["isOpen"] {
  if (needs.openAtMs === undefined && needs.openWithin === undefined) return undefined;
  const decided = new Map<OpeningTimes, boolean>();
  return (region, hoursNumber) => {
    if (hoursNumber === 0) return isOpenAsAsked(needs, undefined);
    const times = region.lists.openingTimes.item(hoursNumber, startedMs);
    if (times === undefined) return undefined;
    let isOpen = decided.get(times);
    if (isOpen === undefined) {
      isOpen = isOpenAsAsked(needs, times);
      decided.set(times, isOpen);
    }
    return isOpen;
  };
}
