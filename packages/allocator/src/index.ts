/** Where parcels can go and who may put them there: the H3 index in Redis, capacity, holds, reservations and their events. */
export { type Allocator, createAllocator } from "./allocator.ts";
export {
  createRegionArchive,
  type ForgottenMember,
  type RegionArchive,
  type StoredEvent,
  type StoredReservation,
} from "./archive/region-archive.ts";
export { type ClassCount, freeToPromise } from "./capacity/capacity.ts";
export type { CapacityReport, CapacityReports, ClassReport, ReportOutcome } from "./capacity/capacity-reports.ts";
export { isKnownAt, type Observation } from "./capacity/observation.ts";
export {
  type ConnectionOptions,
  commandTimeoutMs,
  connectRedis,
  dropSilent,
  isCluster,
  pingAll,
  type RedisConnection,
  storeTimeMs,
} from "./connection/connect-redis.ts";
export { type FailingServer, refusingServers, silentServers } from "./connection/failing-servers.ts";
export { parseRedisAddress, type RedisAddress, redisAddressText, redisProtocols } from "./connection/redis-address.ts";
export { isCommandTimeout, isStoreFailure } from "./connection/store-failure.ts";
export type { DeliveryChanges, DeliveryFields, DeliveryStore, StoredReplay, StoredRetry } from "./deliveries/delivery-store.ts";
export { type Acknowledgements, createAcknowledgements } from "./durability/acknowledgements.ts";
export type { ReplicationLevel } from "./durability/replica-gate.ts";
export { type DurabilityFindings, type DurabilityLevel, durabilityLevels, inspectDurability } from "./durability/server-durability.ts";
export { decodeEvent, encodeEvent } from "./events/event-bytes.ts";
export { type CountedChain, chainMax, type EventLog, firstEntry, isAfter, type LoggedEvent, readChain } from "./events/event-log.ts";
export type { LogSubscription } from "./events/log-subscribers.ts";
export { earthRadiusM, greatCircleM } from "./geo/great-circle.ts";
export { type Position, quantise } from "./geo/position.ts";
export { indexCellOf, regionOfCell } from "./geo/region.ts";
export { findTimeZone } from "./hours/time-zone.ts";
export { createKeys, type Keys } from "./keys.ts";
export { chunkBytes, createLogChunks, type LogArchive, type LogChunks, type StoredChunk } from "./logs/log-chunks.ts";
export type { LogMark } from "./logs/log-mark.ts";
export { type LogName, type LogReference, logId, referenceBytes, unpackReferences } from "./logs/log-reference.ts";
export type { ChunkTimes } from "./logs/log-store.ts";
export {
  chunkOf,
  chunkSize,
  createParticipantLogs,
  type LogPage,
  type LogPlace,
  type NumberedEvent,
  type ParticipantLogs,
  type ParticipantLogsOptions,
} from "./logs/participant-logs.ts";
export { defaultQueueLimits, type QueueLimits, type Queues, type Waiting, waitingPlacesMax } from "./queue/queues.ts";
export type { Answer } from "./reservations/answer.ts";
export type { BundleChange, BundleOutcome, BundleStore } from "./reservations/bundle-store.ts";
export { type HoldCandidate, type HoldClass, holdClass, storedCandidate } from "./reservations/candidates.ts";
export { decodePinEntry, type PinEntry } from "./reservations/pin-entry.ts";
export type { RequestIds } from "./reservations/request-ids.ts";
export { type ChainEntries, decodeReservation, encodeReservation, splitChain } from "./reservations/reservation-record.ts";
export {
  type DeviceReport,
  notFound as reservationNotFound,
  type ReservationStore,
  type Transition,
  type TransitionOutcome,
} from "./reservations/reservation-store.ts";
export type { HoldOutcome, HoldRequest, Holds } from "./reservations/reserve.ts";
export { sharedRuns } from "./runs/shared-runs.ts";
export type { Candidate, CandidateClass } from "./search/candidate.ts";
export { checkSite, type SiteCheck } from "./search/check-site.ts";
export type { PassedOverSites } from "./search/passed-over.ts";
export type { NearestQuery, SiteNeeds, SiteQuery } from "./search/query.ts";
export type { SiteRecord } from "./sites/site-record.ts";
export type { SiteRevocation, SiteRevocations } from "./sites/site-revocations.ts";
export type { PutOutcome, SiteStore, StoredSite } from "./sites/site-store.ts";
