import type { Region } from "@petak/protocol";
import { unitPoint } from "../block/decoded-block.ts";
import { countryNumber } from "../block/record.ts";
import { isOpenAt, openMsWithin } from "../hours/is-open.ts";
import type { OpeningTimes } from "../hours/opening-times.ts";
import type { IndexReader } from "./index-reader.ts";
import { flagFilter, type NearestQuery, type SiteNeeds } from "./query.ts";
import type { ScanContext } from "./scan-block.ts";

/** Makes what the scan of every block of a query needs. */
export async function createScanContext(reader: IndexReader, query: NearestQuery): Promise<ScanContext> {
  const { operatorIds, excludedOperatorIds, countryCodes = [], needs } = query;
  const reading = [reader.operatorNumbers(operatorIds), reader.operatorNumbers(excludedOperatorIds)] as const;
  // Most queries name no operator, and need not wait for anything.
  const isRead = reading.every((numbers) => !(numbers instanceof Promise));
  const [allowed, excluded] = isRead
    ? (reading as [Numbers, Numbers])
    : await Promise.all([Promise.resolve(reading[0]), Promise.resolve(reading[1])]);
  return {
    query,
    originPoint: unitPoint(query.origin),
    filter: flagFilter(query),
    allowedOperators: operatorIds.length === 0 ? undefined : allowed,
    excludedOperators: excluded,
    countries: countryCodes.length === 0 ? undefined : new Set(countryCodes.map(countryNumber)),
    fitting: reader.fittingLookup(query.parcel, needs),
    isOpen: needs === undefined ? undefined : openLookup(reader, needs),
  };
}

type Numbers = ReadonlySet<number>;

/** Reads a region's lists anew where a block names what is not known yet. */
export async function refreshLists(reader: IndexReader, region: Region): Promise<void> {
  await Promise.all([reader.refreshProfiles(region), reader.openingTimes.refresh(region)]);
}

/** Whether a site with these hours, undefined for one that never closes, is open as asked. */
export function isOpenAsAsked({ openAtMs, openWithin }: SiteNeeds, times: OpeningTimes | undefined): boolean {
  if (times === undefined) return openWithin === undefined || openWithin.toMs - openWithin.fromMs >= openWithin.atLeastMs;
  if (openAtMs !== undefined && !isOpenAt(times, openAtMs)) return false;
  return openWithin === undefined || openMsWithin(times, openWithin.fromMs, openWithin.toMs) >= openWithin.atLeastMs;
}

/** Decides once for each of the region's opening times; undefined where any hours will do. */
function openLookup(reader: IndexReader, needs: SiteNeeds): ScanContext["isOpen"] {
  if (needs.openAtMs === undefined && needs.openWithin === undefined) return undefined;
  const remembered = new Map<OpeningTimes, boolean>();
  return (region, hoursNumber) => {
    if (hoursNumber === 0) return isOpenAsAsked(needs, undefined);
    const times = reader.openingTimes.get(region, hoursNumber - 1);
    if (times === undefined) return undefined;
    let isOpen = remembered.get(times);
    if (isOpen === undefined) {
      isOpen = isOpenAsAsked(needs, times);
      remembered.set(times, isOpen);
    }
    return isOpen;
  };
}
