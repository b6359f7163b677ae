/** Finds sites for parcels: the H3 index of sites in Redis, its cache, and the exact search for the nearest sites that satisfy a query. */
export { DecodedBlock } from "./block/decoded-block.ts";
export { decodeReport, isKnownAt, type Observation } from "./block/observation.ts";
export { encodeRecord } from "./block/record.ts";
export { siteFlags } from "./block/record-flags.ts";
export { encodeSizeProfile } from "./block/size-profile.ts";
export {
  createTrackedCache,
  isSlotMovedError,
  type SlotWriter,
  type TrackedCache,
  type TrackedCacheOptions,
} from "./cache/tracked-cache.ts";
export { earthRadiusM, greatCircleM } from "./geo/great-circle.ts";
export { type Position, quantise } from "./geo/position.ts";
export { cellNumberInRegion, indexCellOf, regionCell, regionOfCell } from "./geo/region.ts";
export { preloadDirectory } from "./h3-index/directory-preload.ts";
export { createIndexReader } from "./h3-index/index-reader.ts";
export { encodeOpeningTimes, isAlwaysOpen, openingTimes } from "./hours/opening-times.ts";
export { findTimeZone } from "./hours/time-zone.ts";
export { checkSite, type SiteCheck } from "./query/check-site.ts";
export type { NearestQuery, SiteNeeds, SiteQuery } from "./query/query.ts";
export type { Candidate, CandidateClass } from "./search/candidate.ts";
export { createConcurrencyLimit } from "./search/concurrency-limit.ts";
export { createNearestSearch, type NearestSearch } from "./search/nearest.ts";
export { countPassedOver, type PassedOverSites } from "./search/passed-over.ts";
