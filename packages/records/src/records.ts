import type { IndexCache } from "@petak/allocator";
import { createKeys, createSiteIds, type RedisConnection, type SiteIds } from "@petak/redis";
import { createRegionArchive, type RegionArchive } from "./archive/region-archive.ts";
import type { WithArchive } from "./archive/reservation-archive.ts";
import { type AuditBounds, type AuditLog, createAuditLog } from "./audit/audit-log.ts";
import { type BundleStore, createBundleStore } from "./bundles/bundle-store.ts";
import { type CapacityReports, createCapacityReports } from "./capacity/capacity-reports.ts";
import { createDeliveryStore, type DeliveryStore } from "./deliveries/delivery-store.ts";
import { createEventStream, type EventStream } from "./events/event-stream.ts";
import { createFeedChunks, type FeedChunks } from "./feeds/feed-chunks.ts";
import { createRequestIds, type RequestIds } from "./idempotency/request-ids.ts";
import { createQueues, type QueueLimits, type Queues } from "./queue/queues.ts";
import { createQuotaUsage, type QuotaUsage } from "./quotas/quota-usage.ts";
import type { Quotas } from "./quotas/quotas.ts";
import { createDeviceReports, type DeviceReports } from "./reservations/device-reports.ts";
import { createHeldCounts, type HeldCounts } from "./reservations/held-counts.ts";
import { createIssuedCredentials, type IssuedCredentials } from "./reservations/issued-credentials.ts";
import { createLabelIndex, type LabelIndex } from "./reservations/label-index.ts";
import { createReservationStore, type ReservationStore } from "./reservations/reservation-store.ts";
import { createHolds, type Holds } from "./reservations/reserve.ts";
import { createSiteHolders, type SiteHolders } from "./reservations/site-holders.ts";
import { type AllowedChanges, createAllowedChanges } from "./sites/allowed-changes.ts";
import { type CountsByCell, createCountsByCell } from "./sites/counts-by-cell.ts";
import { createListedSites, type ListedSites } from "./sites/listed-sites.ts";
import { createPinKeys, type PinKeys } from "./sites/pin-keys.ts";
import { createRefusalCounts, type RefusalCounts } from "./sites/refusal-counts.ts";
import { createReportsApart, type ReportsApart } from "./sites/reports-apart.ts";
import { createRetiredSites, type RetiredSites } from "./sites/retired-sites.ts";
import { createSiteChanges, type SiteChanges } from "./sites/site-changes.ts";
import { createSitePauses, type SitePauses } from "./sites/site-pauses.ts";
import { createSiteRevocations, type SiteRevocations } from "./sites/site-revocations.ts";
import { createSiteStore, type SiteStore } from "./sites/site-store.ts";
import { createTermsRecords, type TermsRecords } from "./terms/terms-records.ts";

/** The records of one store, with an interface for each subject. */
export interface Records {
  readonly sites: SiteStore;
  readonly capacityReports: CapacityReports;
  readonly holds: Holds;
  readonly heldCounts: HeldCounts;
  readonly queues: Queues;
  readonly reservations: ReservationStore;
  readonly bundles: BundleStore;
  readonly allowedChanges: AllowedChanges;
  readonly siteRevocations: SiteRevocations;
  readonly refusalCounts: RefusalCounts;
  readonly deviceReports: DeviceReports;
  readonly issuedCredentials: IssuedCredentials;
  readonly labelIndex: LabelIndex;
  readonly pinKeys: PinKeys;
  readonly reportsApart: ReportsApart;
  readonly siteChanges: SiteChanges;
  readonly retiredSites: RetiredSites;
  readonly sitePauses: SitePauses;
  readonly listedSites: ListedSites;
  readonly countsByCell: CountsByCell;
  readonly siteHolders: SiteHolders;
  readonly requestIds: RequestIds;
  readonly events: EventStream;
  readonly deliveries: DeliveryStore;
  /** Moves ended reservations and old events to the archive. */
  readonly archive: RegionArchive;
  /** Moves chunks of participants' feeds to the archive. */
  readonly feedChunks: FeedChunks;
  /** The administrative changes. */
  readonly auditLog: AuditLog;
  /** What participants have of what is counted. */
  readonly quotaUsage: QuotaUsage;
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
  /** The most that may exist of what participants make. Default {@link defaultQuotas}. */
  quotas?: Quotas;
  /** The bounds of the administrative changes. Default {@link defaultAuditBounds}. */
  audit?: Partial<AuditBounds>;
}

/** Creates the records of a store. */
export function createRecords({ redis, prefix = "petak", storeCode, indexCache, queueLimits, quotas, audit }: RecordsOptions): Records {
  const keys = createKeys(prefix);
  const siteIds = createSiteIds(storeCode);
  const terms = createTermsRecords(redis, keys);
  const ids = { siteIds, terms };
  const sites = createSiteStore(redis, keys, siteIds, quotas);
  const requestIds = createRequestIds(redis, keys);
  const queues = createQueues(redis, keys, ids, sites, queueLimits);
  const reservations = createReservationStore(redis, keys, ids, sites, quotas);
  return {
    sites,
    capacityReports: createCapacityReports(redis, keys, siteIds, sites),
    holds: createHolds(redis, keys, ids, requestIds, queues, indexCache),
    heldCounts: createHeldCounts(redis, keys, siteIds),
    queues,
    reservations,
    bundles: createBundleStore(redis, keys, ids, quotas),
    allowedChanges: createAllowedChanges(redis, keys, siteIds),
    siteRevocations: createSiteRevocations(redis, keys, siteIds),
    refusalCounts: createRefusalCounts(redis, keys, siteIds),
    deviceReports: createDeviceReports(redis, keys, siteIds),
    issuedCredentials: createIssuedCredentials(redis, keys, siteIds),
    reportsApart: createReportsApart(redis, keys, siteIds),
    labelIndex: createLabelIndex(redis, keys),
    pinKeys: createPinKeys(redis, keys, siteIds),
    siteChanges: createSiteChanges(redis, keys, siteIds),
    retiredSites: createRetiredSites(redis, keys, siteIds, sites),
    sitePauses: createSitePauses(redis, keys, siteIds, sites),
    listedSites: createListedSites(redis, keys, siteIds),
    countsByCell: createCountsByCell(redis, keys),
    siteHolders: createSiteHolders(redis, keys, ids, sites, reservations),
    requestIds,
    events: createEventStream(redis, keys, siteIds),
    deliveries: createDeliveryStore(redis, keys),
    archive: createRegionArchive(redis, keys, ids),
    feedChunks: createFeedChunks(redis, keys, siteIds),
    auditLog: createAuditLog(redis, keys, audit),
    quotaUsage: createQuotaUsage(redis, keys, quotas),
    siteIds,
    terms,
  };
}
