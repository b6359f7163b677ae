import type { IndexCache } from "@petak/allocator";
import { createKeys, createSiteIds, type RedisConnection, type SiteIds } from "@petak/redis";
import { createRegionArchive, type RegionArchive } from "./archive/region-archive.ts";
import type { WithArchive } from "./archive/reservation-archive.ts";
import { type BundleStore, createBundleStore } from "./bundles/bundle-store.ts";
import { type CapacityReports, createCapacityReports } from "./capacity/capacity-reports.ts";
import { createDeliveryStore, type DeliveryStore } from "./deliveries/delivery-store.ts";
import { createEventStream, type EventStream } from "./events/event-stream.ts";
import { createFeedChunks, type FeedChunks } from "./feeds/feed-chunks.ts";
import { createRequestIds, type RequestIds } from "./idempotency/request-ids.ts";
import { createQueues, type QueueLimits, type Queues } from "./queue/queues.ts";
import { createReservationStore, type ReservationStore } from "./reservations/reservation-store.ts";
import { createHolds, type Holds } from "./reservations/reserve.ts";
import { createSiteRevocations, type SiteRevocations } from "./sites/site-revocations.ts";
import { createSiteStore, type SiteStore } from "./sites/site-store.ts";
import { createTermsRecords, type TermsRecords } from "./terms/terms-records.ts";

/** The records of one store, with an interface for each subject. */
export interface Records {
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
  /** Moves ended reservations and old events to the archive. */
  readonly archive: RegionArchive;
  /** Moves chunks of participants' feeds to the archive. */
  readonly feedChunks: FeedChunks;
  /** Formats and parses the ids of the store's sites. */
  readonly siteIds: SiteIds;
  /** The terms on which reservations were made. */
  readonly terms: TermsRecords;
}

/** Records, and their archived part. */
export type RecordsWithArchive = WithArchive<Records>;

/** The options of records. */
export interface RecordsOptions {
  /** The connection to the store. */
  redis: RedisConnection;
  /** The key prefix, which separates networks on one server. Default `petak`. */
  prefix?: string;
  /** The store code that {@link claimStoreCode} returned. */
  storeCode: string;
  /** Holds are taken over this cache's connections, so that it is updated without invalidations. Default: they are taken over `redis`. */
  indexCache?: IndexCache | undefined;
  /** The most queued reservations. Default {@link defaultQueueLimits}. */
  queueLimits?: QueueLimits;
}

/** Creates the records of a store. */
export function createRecords({ redis, prefix = "petak", storeCode, indexCache, queueLimits }: RecordsOptions): Records {
  const keys = createKeys(prefix);
  const siteIds = createSiteIds(storeCode);
  const terms = createTermsRecords(redis, keys);
  const ids = { siteIds, terms };
  const sites = createSiteStore(redis, keys, siteIds);
  const requestIds = createRequestIds(redis, keys);
  const queues = createQueues(redis, keys, ids, sites, queueLimits);
  return {
    sites,
    capacityReports: createCapacityReports(redis, keys, siteIds, sites),
    holds: createHolds(redis, keys, ids, requestIds, queues, indexCache),
    queues,
    reservations: createReservationStore(redis, keys, ids, sites),
    bundles: createBundleStore(redis, keys, ids),
    siteRevocations: createSiteRevocations(redis, keys, siteIds),
    requestIds,
    events: createEventStream(redis, keys, siteIds),
    deliveries: createDeliveryStore(redis, keys),
    archive: createRegionArchive(redis, keys, ids),
    feedChunks: createFeedChunks(redis, keys, siteIds),
    siteIds,
    terms,
  };
}
