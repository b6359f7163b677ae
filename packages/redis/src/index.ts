/** Redis and Valkey: connections to servers, clusters and replicas; the private server; scripts; durability; and the names of all keys. */
export type { ClusterConnection } from "./connection/cluster-connection.ts";
export {
  type ConnectionOptions,
  commandTimeoutMs,
  connectRedis,
  dropUnresponsive,
  duplicateConnection,
  isCluster,
  ping,
  pingAll,
  type RedisConnection,
  runIdOf,
  serverOf,
  storeTimeMs,
} from "./connection/connect-redis.ts";
export { recordCommands } from "./connection/record-commands.ts";
export { parseRedisAddress, type RedisAddress, redisAddressText, redisProtocols } from "./connection/redis-address.ts";
export { noSlots, type SlotSet } from "./connection/served-slots.ts";
export { slotMapOf } from "./connection/slot-map.ts";
export { isCommandTimeout, isStoreFailure } from "./connection/store-failure.ts";
export { type Acknowledgements, createAcknowledgements } from "./durability/acknowledgements.ts";
export type { ReplicationLevel } from "./durability/replica-gate.ts";
export { type DurabilityFindings, type DurabilityLevel, durabilityLevels, inspectDurability } from "./durability/server-durability.ts";
export { noteKey } from "./durability/write-scope.ts";
export { type FailingServer, serversRejectingWrites, unresponsiveServers } from "./health/failing-servers.ts";
export { memoryOfServers, type ServerMemory } from "./health/server-memory.ts";
export { createKeys, type FeedName, type KeyKind, type Keys, type TermsOwner } from "./keys.ts";
export { coalescedRuns } from "./runs/coalesced-runs.ts";
export {
  type CreateScript,
  type RunScript,
  type ScriptArgument,
  type ScriptOptions,
  type ScriptReply,
  scriptsIn,
} from "./scripts/scripts.ts";
export { notifyKeysTouched, onKeysTouched } from "./scripts/touched-keys.ts";
export { createSiteIds, type SiteIds } from "./store/site-ids.ts";
export { claimStoreCode, StoreCodeError } from "./store/store-code.ts";
export { type CallTrace, currentTrace, type EndedCommand, inTrace, outsideTraces } from "./tracing/call-trace.ts";
