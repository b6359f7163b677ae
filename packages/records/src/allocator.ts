import type { Candidate, NearestQuery } from "@petak/allocator";
import {
  countPassedOver,
  createConcurrencyLimit,
  createIndexReader,
  createNearestSearch,
  createTrackedCache,
  type NearestSearch,
  type PassedOverSites,
  preloadDirectory,
  type TrackedCacheOptions,
} from "@petak/allocator";
import { createKeys, createSiteIds, type Keys, type RedisConnection, type SiteIds } from "@petak/redis";
import { createRegionArchive, type RegionArchive } from "./archive/region-archive.ts";
import { type BundleStore, createBundleStore } from "./bundles/bundle-store.ts";
import { type CapacityReports, createCapacityReports } from "./capacity/capacity-reports.ts";
import { createDeliveryStore, type DeliveryStore } from "./deliveries/delivery-store.ts";
import { createEventStream, type EventStream } from "./events/event-stream.ts";
import { createFeedChunks, type FeedChunks } from "./feeds/feed-chunks.ts";
import { createQueues, type QueueLimits, type Queues } from "./queue/queues.ts";
import { createRequestIds, type RequestIds } from "./reservations/request-ids.ts";
import { createReservationStore, type ReservationStore } from "./reservations/reservation-store.ts";
import { createHolds, type Holds } from "./reservations/reserve.ts";
import { createSiteRevocations, type SiteRevocations } from "./sites/site-revocations.ts";
import { createSiteStore, type SiteStore } from "./sites/site-store.ts";
import { createTermsRecords, type TermsRecords } from "./terms/terms-records.ts";

/** Sites, places and reservations in Redis, and the index over them. */
export interface Allocator {
  /** The nearest sites that satisfy a query, exactly, nearest first. */
  readonly nearest: NearestSearch;
  /** How many sites a query passed over and why, for what {@link nearest} has just found. */
  passedOver(query: NearestQuery, candidates: readonly Candidate[], signal?: AbortSignal): Promise<PassedOverSites>;
  /** Says that sites have changed since {@link nearest} found them: the next search reads their blocks anew. */
  forget(candidates: readonly Candidate[]): void;
  readonly sites: SiteStore;
  readonly capacityReports: CapacityReports;
  readonly holds: Holds;
  readonly queues: Queues;
  readonly reservations: ReservationStore;
  readonly bundles: BundleStore;
  readonly siteRevocations: SiteRevocations;
  readonly requestIds: RequestIds;
  readonly events: EventStream;
  readonly deliveries: DeliveryStore;
  /** What leaves the records for the archive. */
  readonly archive: RegionArchive;
  /** The same of the participants' logs. */
  readonly feedChunks: FeedChunks;
  readonly keys: Keys;
  /** The ids of the store's sites. */
  readonly siteIds: SiteIds;
  /** The terms on which reservations were made. */
  readonly terms: TermsRecords;
  /**
   * Resolves when it is known where sites are, so that the first search already asks for nothing but what it finds: with true, at once where
   * nothing is kept in memory. With false where it is not after `timeoutMs`; searches then read it themselves.
   */
  ready(timeoutMs: number): Promise<boolean>;
  /** Closes the connections that it made itself. */
  stop(): void;
}

/** How an allocator is made. */
export interface AllocatorOptions {
  /** The connection over which it reads and writes. */
  redis: RedisConnection;
  /** What separates networks that share a server. Default `petak`. */
  prefix?: string;
  /** The code of the store, as {@link claimStoreCode} gives it. */
  storeCode: string;
  /**
   * Keeps what was read of the index in memory, as the server tells of changes: a query then asks the server for nothing that has not changed.
   * Without it every query reads what it needs.
   */
  indexCache?: Pick<TrackedCacheOptions, "connect" | "onError">;
  /**
   * Whether holds too are taken over `redis` and no other connection: for one that keeps account of what was asked for over it. Default false: over
   * those of the index, which need not be told of them then.
   */
  isAccountedFor?: boolean;
  /** How many may wait. Default {@link defaultQueueLimits}. */
  queueLimits?: QueueLimits;
}

/** Searches beyond the origin's neighbourhood that run at once: more would gain nothing and make everybody wait for all of them. */
const wideSearchesAtOnce = 2;

/** Makes an allocator. */
export function createAllocator(options: AllocatorOptions): Allocator {
  const { redis, prefix = "petak", storeCode, indexCache, isAccountedFor = false, queueLimits } = options;
  const keys = createKeys(prefix);
  const siteIds = createSiteIds(storeCode);
  const terms = createTermsRecords(redis, keys);
  const ids = { siteIds, terms };
  const cache = indexCache && createTrackedCache({ ...indexCache, writer: redis });
  const reader = createIndexReader(redis, keys, siteIds, cache);
  const directory = preloadDirectory(reader, cache);
  const wideSearches = createConcurrencyLimit(wideSearchesAtOnce);
  const sites = createSiteStore(redis, keys, siteIds);
  const requestIds = createRequestIds(redis, keys);
  const queues = createQueues(redis, keys, ids, sites, queueLimits);
  return {
    nearest: createNearestSearch(reader, wideSearches),
    passedOver: (query, candidates, signal) => countPassedOver(reader, wideSearches, query, candidates, signal),
    forget: (candidates) => cache?.forget(candidates.map(({ region, cell }) => keys.block(region, cell))),
    sites,
    capacityReports: createCapacityReports(redis, keys, siteIds, sites),
    holds: createHolds(redis, keys, ids, requestIds, queues, isAccountedFor ? undefined : cache),
    queues,
    reservations: createReservationStore(redis, keys, ids, sites),
    bundles: createBundleStore(redis, keys, ids),
    siteRevocations: createSiteRevocations(redis, keys, siteIds),
    requestIds,
    events: createEventStream(redis, keys, siteIds),
    deliveries: createDeliveryStore(redis, keys),
    archive: createRegionArchive(redis, keys, ids),
    feedChunks: createFeedChunks(redis, keys, siteIds),
    keys,
    siteIds,
    terms,
    ready: (timeoutMs) => directory.ready(timeoutMs),
    stop: () => cache?.stop(),
  };
}
