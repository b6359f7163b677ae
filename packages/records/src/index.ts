/** The data in Redis: sites, places, reservations, queues, bundles, events and feeds, deliveries, and their archive. */

export { requireIdentity, requireReadableArchive } from "./archive/archive-identity.ts";
export { createArchiver, retentionMinMs } from "./archive/archiver.ts";
export { createFeedArchive } from "./archive/feed-archive.ts";
export { ArchiveFailure } from "./archive/files/archive-failure.ts";
export { type ArchiveFiles, diskFiles } from "./archive/files/archive-files.ts";
export { type ArchiveLayout, createLayout } from "./archive/files/archive-layout.ts";
export { createArchiveReader } from "./archive/files/archive-reader.ts";
export { archivedAudit, type ReadAuditFile } from "./archive/files/audit-file.ts";
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
export {
  type AuditBounds,
  type AuditedRequest,
  type AuditLog,
  type AuditPage,
  createAuditLog,
  defaultAuditBounds,
  gatewayMaker,
} from "./audit/audit-log.ts";
export type { BundleChange, BundleStore } from "./bundles/bundle-store.ts";
export type { CapacityReport, CapacityReports, ClassReport } from "./capacity/capacity-reports.ts";
export { type CommandKeyStore, createCommandKeyStore } from "./commands/command-keys.ts";
export {
  type CommandEnd,
  type Commands,
  commandReportMs,
  commandsKeptMs,
  createCommands,
  type StoredCommand,
} from "./commands/commands.ts";
export { DataVersionError } from "./data-version/data-version-error.ts";
export type { DataVersions } from "./data-version/data-versions.ts";
export { type EnterStoreOptions, enterStore, type StoreEntry } from "./data-version/enter-store.ts";
export type { DeliveryFields, DeliveryStore, StoredReplay, StoredRetry } from "./deliveries/delivery-store.ts";
export { classMost, type HoldExhaustion, type HoldLimits, type Sharer, sharerOf, siteMost } from "./encoding/hold-limits.ts";
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
export { createUsedProofs, type UsedProofs } from "./idempotency/used-proofs.ts";
export { type Audience, claimAudience, earlierAudience } from "./participants/audience.ts";
export { createEnrolments, type EnrolmentEnd, type Enrolments, enrolmentsKeptMs } from "./participants/enrolments.ts";
export type { ListedKey } from "./participants/key-list.ts";
export { createOperatorLinksStore, type OperatorLinksStore } from "./participants/operator-links.ts";
export { createOperatorNames, type OperatorNames } from "./participants/operator-names.ts";
export { createParticipantEvents, type ParticipantEvents, participantsRegion } from "./participants/participant-events.ts";
export { createParticipantStore, type ParticipantStore } from "./participants/participant-store.ts";
export type { PlaceCall } from "./places/find-candidates.ts";
export { holdsExhausted } from "./places/place-errors.ts";
export { createPlaces, type PlaceHold, type PlaceSources, type Places } from "./places/places.ts";
export type { Overflow, WantedPlace } from "./places/wanted-place.ts";
export { defaultQueueLimits, type QueueLimits, type Queues } from "./queue/queues.ts";
export type { QuotaUsage } from "./quotas/quota-usage.ts";
export { defaultQuotas, type Quotas } from "./quotas/quotas.ts";
export { createRecords, type Records, type RecordsWithArchive } from "./records.ts";
export type { DeviceReports } from "./reservations/device-reports.ts";
export type { HeldCounts } from "./reservations/held-counts.ts";
export {
  createIssuedCredentials,
  type IssuedCredentials,
  type IssuedKind,
  type NamedCredential,
} from "./reservations/issued-credentials.ts";
export type { LabelIndex } from "./reservations/label-index.ts";
export {
  type AllowedReservation,
  type ReservationStore,
  reservationNotFound,
  type StoredTransition,
  type TransitionOutcome,
} from "./reservations/reservation-store.ts";
export type { HoldRequest } from "./reservations/reserve.ts";
export type { SiteHolders } from "./reservations/site-holders.ts";
export { type AgentLeases, createAgentLeases, type HeldEpoch } from "./sites/agent-leases.ts";
export type { AllowedChanges, AllowedDifference, AllowedVersion } from "./sites/allowed-changes.ts";
export { type CountsByCell, type SitePlace, sitePlaceOf } from "./sites/counts-by-cell.ts";
export type { AgentFence, DeviceReport } from "./sites/device-report.ts";
export { bestSizeClass, type FoundSites, findSites, type SearchCall } from "./sites/found-sites.ts";
export type { ListedSites } from "./sites/listed-sites.ts";
export { movedM, undecidedM } from "./sites/live-reservations.ts";
export type { PinKeys } from "./sites/pin-keys.ts";
export type { CountedReports, RefusalCount, RefusalCountOutcome, RefusalCounts } from "./sites/refusal-counts.ts";
export { type ReportsApart, reportsApartMax } from "./sites/reports-apart.ts";
export { type RetiredSites, retiredKeptMs } from "./sites/retired-sites.ts";
export { createSiteAgents, type SiteAgents } from "./sites/site-agents.ts";
export { createSiteCache, type SiteCache } from "./sites/site-cache.ts";
export { type PendingSite, type Shortage, type SiteChangeDuty, type SiteChanges, toldEveryMs } from "./sites/site-changes.ts";
export { freeToPromise, type SiteCounts } from "./sites/site-counts.ts";
export { canBeKept, isAlwaysTold, siteDifference } from "./sites/site-difference.ts";
export { siteNeedsOf } from "./sites/site-needs.ts";
export { siteNotFound } from "./sites/site-not-found.ts";
export { endedSite, type FiledSite } from "./sites/site-record.ts";
export type { SiteRevocations } from "./sites/site-revocations.ts";
export type { SiteStore, StoredSite } from "./sites/site-store.ts";
export { createTermsBook, type TermsBook } from "./terms/terms-book.ts";
export { createTermsStore } from "./terms/terms-store.ts";
export { openTestClock, type TestClock } from "./test-clock/test-clock.ts";
export { upgradeStore } from "./upgrade/upgrade-store.ts";
export { createWebhookStore, type StoredWebhook, type StoredWebhookKey, type WebhookStore } from "./webhooks/webhook-store.ts";
