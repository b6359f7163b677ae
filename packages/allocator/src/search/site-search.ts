import type { Keys, RedisConnection, SiteIds } from "@petak/redis";
import { createTrackedCache, type TrackedCache, type TrackedCacheOptions } from "../cache/tracked-cache.ts";
import { preloadDirectory } from "../h3-index/directory-preload.ts";
import { createIndexReader } from "../h3-index/index-reader.ts";
import type { NearestQuery } from "../query/query.ts";
import type { Candidate } from "./candidate.ts";
import { createConcurrencyLimit } from "./concurrency-limit.ts";
import { createNearestSearch, type NearestSearch } from "./nearest.ts";
import { countPassedOver, type PassedOverSites } from "./passed-over.ts";

/** The exact search for sites over the index. */
export interface SiteSearch {
  /** The nearest sites that satisfy a query, exactly, nearest first. */
  readonly nearest: NearestSearch;
  /** How many sites a query passed over and why, for what {@link nearest} has just found. */
  passedOver(query: NearestQuery, candidates: readonly Candidate[], signal?: AbortSignal): Promise<PassedOverSites>;
  /** Marks sites as changed since {@link nearest} found them: the next search reads their blocks anew. */
  forget(candidates: readonly Candidate[]): void;
}

/** The cached blocks of the index, and connections over which a write updates them in place instead of having them invalidated. */
export type IndexCache = Pick<TrackedCache, "peek" | "slotWriterFor">;

/** A search with the cache and the connections that it owns. */
export interface OwnedSiteSearch extends SiteSearch {
  /** The cache of the index, for those who write to the index and update it themselves. Undefined without a cache. */
  readonly indexCache: IndexCache | undefined;
  /**
   * Waits until the directory of sites is in memory, so that the first search reads only what it finds.
   *
   * @returns true once it is, or at once without a cache; false if it is not after `timeoutMs`, and searches then read it themselves
   */
  ready(timeoutMs: number): Promise<boolean>;
  /** Closes the connections that the cache made. */
  stop(): void;
}

/** How a search is made. */
export interface SiteSearchOptions {
  /** The connection over which the index is read. */
  redis: RedisConnection;
  keys: Keys;
  siteIds: SiteIds;
  /**
   * Keeps in memory what was read of the index, until the server reports a change: a query then reads only what has changed. Without it every query
   * reads all it uses.
   */
  indexCache?: Pick<TrackedCacheOptions, "connect" | "onError">;
}

/** Searches beyond the origin's neighbourhood that run at once: more would gain nothing and make everybody wait for all of them. */
const wideSearchesAtOnce = 2;

/** Makes a search over the index of a store. */
export function createSiteSearch({ redis, keys, siteIds, indexCache }: SiteSearchOptions): OwnedSiteSearch {
  const cache = indexCache && createTrackedCache({ ...indexCache, writer: redis });
  const reader = createIndexReader(redis, keys, siteIds, cache);
  const directory = preloadDirectory(reader, cache);
  const wideSearches = createConcurrencyLimit(wideSearchesAtOnce);
  return {
    nearest: createNearestSearch(reader, wideSearches),
    passedOver: (query, candidates, signal) => countPassedOver(reader, wideSearches, query, candidates, signal),
    forget: (candidates) => cache?.forget(candidates.map(({ region, cell }) => keys.block(region, cell))),
    indexCache: cache,
    ready: (timeoutMs) => directory.ready(timeoutMs),
    stop: () => cache?.stop(),
  };
}
