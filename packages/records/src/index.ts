/** The data in Redis: sites, places, reservations, queues, bundles, events and feeds, deliveries, and their archive. */

export { requireIdentity, requireReadableArchive } from "./archive/archive-identity.ts";
export { createArchiver, retentionMinMs } from "./archive/archiver.ts";
export { createFeedArchive } from "./archive/feed-archive.ts";
export { ArchiveFailure } from "./archive/files/archive-failure.ts";
export { type ArchiveFiles, diskFiles } from "./archive/files/archive-files.ts";
export { type ArchiveLayout, createLayout } from "./archive/files/archive-layout.ts";
export { createArchiveReader } from "./archive/files/archive-reader.ts";
export type { DayManifest } from "./archive/files/day-manifest.ts";
export { rebuildIndex } from "./archive/files/index-day.ts";
export {
  type ArchiveProblem,
  archivedDays,
  checkDay,
  checkFeeds,
  checkIndex,
  findArchived,
  regionsOf as archivedRegions,
} from "./archive/files/inspect-archive.ts";
export { createRelease, type Release } from "./archive/release.ts";
export { withArchive } from "./archive/reservation-archive.ts";
export type { BundleChange, BundleStore } from "./bundles/bundle-store.ts";
export type { CapacityReport, CapacityReports, ClassReport } from "./capacity/capacity-reports.ts";
export { DataVersionError } from "./data-version/data-version-error.ts";
export type { DataVersions } from "./data-version/data-versions.ts";
export { type EnterStoreOptions, enterStore, type StoreEntry } from "./data-version/enter-store.ts";
export type { DeliveryFields, DeliveryStore, StoredReplay, StoredRetry } from "./deliveries/delivery-store.ts";
export { firstEntry } from "./encoding/stream-entry.ts";
export { chainMax, type EventStream } from "./events/event-stream.ts";
export type { FeedPage } from "./feeds/feed-pages.ts";
export type { FeedChecksum, FeedPosition } from "./feeds/feed-position.ts";
export { type ChunkTimes, chunkOf, chunkSize } from "./feeds/feed-store.ts";
export { createParticipantFeeds, type ParticipantFeeds } from "./feeds/participant-feeds.ts";
export {
  createSecretsFingerprintStore,
  type SecretsFingerprint,
  type SecretsFingerprintStore,
} from "./gateway-secrets/secrets-fingerprint-store.ts";
export type { RequestIds } from "./idempotency/request-ids.ts";
export { createParticipantStore, type ParticipantStore } from "./participants/participant-store.ts";
export type { PlaceCall } from "./places/find-candidates.ts";
export { createPlaces, type PlaceHold, type PlaceSources, type Places } from "./places/places.ts";
export type { Overflow, WantedPlace } from "./places/wanted-place.ts";
export { defaultQueueLimits, type QueueLimits, type Queues } from "./queue/queues.ts";
export { createRecords, type Records, type RecordsWithArchive } from "./records.ts";
export {
  type ReservationStore,
  reservationNotFound,
  type StoredTransition,
  type TransitionOutcome,
} from "./reservations/reservation-store.ts";
export type { HoldRequest } from "./reservations/reserve.ts";
export { bestSizeClass, type FoundSites, findSites, type SearchCall } from "./sites/found-sites.ts";
export { createSiteCache, type SiteCache } from "./sites/site-cache.ts";
export { freeToPromise } from "./sites/site-counts.ts";
export { siteNotFound } from "./sites/site-not-found.ts";
export type { FiledSite } from "./sites/site-record.ts";
export type { SiteRevocations } from "./sites/site-revocations.ts";
export type { SiteStore, StoredSite } from "./sites/site-store.ts";
export { createTermsBook, type TermsBook } from "./terms/terms-book.ts";
export { createTermsStore } from "./terms/terms-store.ts";
export { openTestClock, type TestClock } from "./test-clock/test-clock.ts";
export { createWebhookStore, type StoredWebhook, type StoredWebhookKey, type WebhookStore } from "./webhooks/webhook-store.ts";
