/** Finds sites for parcels: the H3 index of sites in Redis, its cache, and the exact search for the nearest sites that satisfy a query. */

export { earthRadiusM, greatCircleM, type Position, quantise } from "@petak/protocol/geo";
export { DecodedBlock } from "./block/decoded-block.ts";
export { decodeReport, isKnownAt, type Observation } from "./block/observation.ts";
export { encodeRecord, recordBytes, recordFlag } from "./block/record.ts";
export { siteFlags } from "./block/record-flags.ts";
export { encodeSizeProfile } from "./block/size-profile.ts";
export {
  createTrackedCache,
  isSlotMovedError,
  type SlotWriter,
  type TrackedCache,
  type TrackedCacheOptions,
} from "./cache/tracked-cache.ts";
export { cellNumberInRegion, indexCellOf, regionCell, regionOfCell } from "./geo/region.ts";
export { occupiedCells } from "./h3-index/occupied-cells.ts";
export { encodeOpeningTimes, isAlwaysOpen, openingTimes } from "./hours/opening-times.ts";
export { findTimeZone } from "./hours/time-zone.ts";
export type { NearestQuery, SiteNeeds, SiteQuery } from "./query/query.ts";
export type { Candidate, CandidateClass } from "./search/candidate.ts";
export { checkSite, type SiteCheck } from "./search/check-site.ts";
export type { NearestSearch } from "./search/nearest.ts";
export type { PassedOverSites } from "./search/passed-over.ts";
export { createSiteSearch, type IndexCache, type OwnedSiteSearch, type SiteSearch, type SiteSearchOptions } from "./search/site-search.ts";
