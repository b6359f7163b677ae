/** What is written to Redis: sites, places, reservations, queues, bundles, events and feeds, deliveries, and what leaves for the archive. */

export { requireIdentity, requireReadableArchive } from "./archive/archive-identity.ts";
export { createArchiver } from "./archive/archiver.ts";
export { createFeedArchive } from "./archive/feed-archive.ts";
export { ArchiveFailure } from "./archive/files/archive-failure.ts";
export { type ArchiveFiles, diskFiles } from "./archive/files/archive-files.ts";
export { type ArchiveLayout, createLayout } from "./archive/files/archive-layout.ts";
export { createArchiveReader } from "./archive/files/archive-reader.ts";
export type { DayManifest } from "./archive/files/day-manifest.ts";
export { rebuildIndex } from "./archive/files/index-day.ts";
export {
  type ArchivedDay,
  type ArchiveProblem,
  archivedDays,
  checkDay,
  checkFeeds,
  checkIndex,
  findArchived,
  regionsOf as archivedRegions,
} from "./archive/files/inspect-archive.ts";
export {
  createRegionArchive,
  type ForgottenMember,
  type RegionArchive,
  type StoredEvent,
  type StoredReservation,
} from "./archive/region-archive.ts";
export { createRelease, type Release } from "./archive/release.ts";
export { type RecordsWithArchive, withArchive } from "./archive/reservation-archive.ts";
export { retentionMinMs } from "./archive/retention.ts";
export type { BundleChange, BundleOutcome, BundleStore } from "./bundles/bundle-store.ts";
export { type ClassCount, freeToPromise } from "./capacity/capacity.ts";
export type { CapacityReport, CapacityReports, ClassReport, ReportOutcome } from "./capacity/capacity-reports.ts";
export { DataVersionError } from "./data-version/data-version-error.ts";
export type { DataVersions } from "./data-version/data-versions.ts";
export { type EnterStoreOptions, enterStore, type StoreEntry } from "./data-version/enter-store.ts";
export type { DeliveryChanges, DeliveryFields, DeliveryStore, StoredReplay, StoredRetry } from "./deliveries/delivery-store.ts";
export { decodeEvent, encodeEvent } from "./events/event-bytes.ts";
export {
  type CountedChain,
  chainMax,
  type EventStream,
  firstEntry,
  isAfter,
  type RecordedEvent,
  readChain,
} from "./events/event-stream.ts";
export { type EventReference, feedId, referenceBytes, unpackReferences } from "./feeds/event-reference.ts";
export { chunkBytes, createFeedChunks, type FeedArchive, type FeedChunks, type StoredChunk } from "./feeds/feed-chunks.ts";
export type { ChunkTimes } from "./feeds/feed-store.ts";
export type { FeedSubscription } from "./feeds/feed-subscribers.ts";
export type { FeedWatermark } from "./feeds/feed-watermark.ts";
export {
  chunkOf,
  chunkSize,
  createParticipantFeeds,
  type FeedPage,
  type FeedPosition,
  type NumberedEvent,
  type ParticipantFeeds,
  type ParticipantFeedsOptions,
} from "./feeds/participant-feeds.ts";
export {
  createSecretsFingerprintStore,
  type SecretsFingerprint,
  type SecretsFingerprintStore,
} from "./gateway-secrets/secrets-fingerprint-store.ts";
export { createParticipantStore, type ParticipantStore } from "./participants/participant-store.ts";
export type { PlaceCall } from "./places/find-candidates.ts";
export { createPlaces, type PlaceHold, type PlaceSources, type Places } from "./places/places.ts";
export type { Overflow, WantedPlace } from "./places/wanted-place.ts";
export { defaultQueueLimits, type QueueLimits, type Queues, type Waiting } from "./queue/queues.ts";
export { createRecords, type Records, type RecordsOptions } from "./records.ts";
export type { Answer } from "./reservations/answer.ts";
export { decodePinEntry } from "./reservations/pin-entry.ts";
export type { RequestIds } from "./reservations/request-ids.ts";
export { type ChainEntries, decodeReservation, encodeReservation, splitChain } from "./reservations/reservation-record.ts";
export {
  type DeviceReport,
  notFound as reservationNotFound,
  type ReservationStore,
  type StoredTransition,
  type TransitionOutcome,
} from "./reservations/reservation-store.ts";
export type { HoldOutcome, HoldRequest, Holds } from "./reservations/reserve.ts";
export { bestSizeClass, type FoundSites, findSites, type SearchCall } from "./sites/found-sites.ts";
export { createSiteCache, type SiteCache } from "./sites/site-cache.ts";
export { siteNotFound } from "./sites/site-not-found.ts";
export type { FiledSite } from "./sites/site-record.ts";
export type { SiteRevocation, SiteRevocations } from "./sites/site-revocations.ts";
export type { PutOutcome, SiteStore, StoredSite } from "./sites/site-store.ts";
export { createTermsBook, type TermsBook } from "./terms/terms-book.ts";
export { createTermsStore, type TermsStore } from "./terms/terms-store.ts";
export { openTestClock, type TestClock } from "./test-clock/test-clock.ts";
export {
  createWebhookStore,
  type StoredWebhook,
  type StoredWebhookKey,
  type WebhookChanges,
  type WebhookStore,
} from "./webhooks/webhook-store.ts";
