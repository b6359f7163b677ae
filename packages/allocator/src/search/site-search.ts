import type { Keys, RedisConnection, SiteIds } from "@petak/redis";
import { createTrackedCache, type TrackedCache, type TrackedCacheOptions } from "../cache/tracked-cache.ts";
import { preloadDirectory } from "../h3-index/directory-preload.ts";
import { createIndexReader } from "../h3-index/index-reader.ts";
import type { NearestQuery } from "../query/query.ts";
import type { Candidate } from "./candidate.ts";
import { createConcurrencyLimit } from "./concurrency-limit.ts";
import { createNearestSearch, type NearestSearch } from "./nearest.ts";
import { type CountPassedOverOptions, countPassedOver, type PassedOverSites } from "./passed-over.ts";

/** The exact search for sites over the index. */
export interface SiteSearch {
  /** The nearest sites that satisfy a query, exactly, nearest first. */
  readonly nearest: NearestSearch;
  /** Counts the sites that a query excluded, by reason, and names the nearest, given the candidates that {@link nearest} found. */
  passedOver(query: NearestQuery, candidates: readonly Candidate[], options?: CountPassedOverOptions): Promise<PassedOverSites>;
  /** Invalidates the cached blocks of sites that have changed since {@link nearest} found them; the next search reads them again. */
  forget(candidates: readonly Candidate[]): void;
}

/** The cached blocks of the index, and connections over which a write updates them in place instead of having them invalidated. */
export type IndexCache = Pick<TrackedCache, "peek" | "slotWriterFor">;

/** A search with the cache and the connections that it owns. */
export interface OwnedSiteSearch extends SiteSearch {
  /** The cache of the index, for writers of the index, which update it themselves. Undefined without a cache. */
  readonly indexCache: IndexCache | undefined;
  /**
   * Waits until the directory of sites is in memory, so that the first searches need fewer round trips.
   *
   * @returns true once it is, or at once without a cache; false after `timeoutMs`, in which case searches read the directory themselves
   */
  ready(timeoutMs: number): Promise<boolean>;
  /** Closes the connections that the cache opened. */
  stop(): void;
}

/** Options of {@link createSiteSearch}. */
export interface SiteSearchOptions {
  /** The connection over which the index is read. */
  redis: RedisConnection;
  keys: Keys;
  siteIds: SiteIds;
  /**
   * Caches what was read of the index until the server reports a change, so that a query reads only what has changed. Without it every
   * query reads everything that it uses.
   */
  indexCache?: Pick<TrackedCacheOptions, "connect" | "onError">;
  /** Monotonic clock, in ms, by which lists are read again. Default `performance.now`. */
  now?: () => number;
}

/** Greatest number of concurrent wide searches: more would not increase the throughput, and would delay all of them. */
const wideSearchesAtOnce = 2;

/** Creates a search over the index of a store. */
export function createSiteSearch({ redis, keys, siteIds, indexCache, now }: SiteSearchOptions): OwnedSiteSearch {
  const cache = indexCache && createTrackedCache({ ...indexCache, writer: redis });
  const reader = createIndexReader(redis, keys, siteIds, cache, now);
  const directory = preloadDirectory(reader, cache);
  const wideSearches = createConcurrencyLimit(wideSearchesAtOnce);
  return {
    nearest: createNearestSearch(reader, wideSearches),
    passedOver: (query, candidates, options) => countPassedOver(reader, wideSearches, query, candidates, options),
    forget: (candidates) => cache?.forget(candidates.map(({ region, cell }) => keys.block(region, cell))),
    indexCache: cache,
    ready: (timeoutMs) => directory.ready(timeoutMs),
    stop: () => cache?.stop(),
  };
}
