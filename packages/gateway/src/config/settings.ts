import { defaultQueueLimits, retentionMinMs } from "@petak/records";
import { durabilityLevels } from "@petak/redis";
import { logLevels } from "../observability/logger.ts";
import { defaultCallLimits } from "../transport/limits/call-limits.ts";
import { defaultServerLimits } from "../transport/limits/server-limits.ts";
import type { Setting, SettingValue } from "./setting.ts";

/** All settings of a gateway, in the order of the documentation. A new setting needs an entry here and nothing else. */
export const settings = [
  {
    name: "host",
    type: { kind: "string", pattern: /^[A-Za-z0-9.:_-]{1,253}$/, patternText: "an address or host name" },
    default: "127.0.0.1",
    doc: "The address to listen on; the default is reachable from this machine only, until TLS and keys are set up.",
  },
  {
    name: "port",
    type: { kind: "int", min: 0, max: 65_535 },
    default: 8420,
    doc: "The port for gRPC, gRPC-Web, Connect and plain HTTP; 0 takes a free one.",
  },
  {
    name: "tlsCert",
    type: { kind: "path" },
    default: "",
    doc: "The file with the certificate chain in PEM; with tlsKey the port uses TLS, without both cleartext, e.g. behind a proxy.",
  },
  { name: "tlsKey", type: { kind: "path" }, default: "", doc: "The file with the certificate's private key in PEM." },
  {
    name: "dataDir",
    type: { kind: "path" },
    default: ".petak",
    doc: "The directory for what must outlive the process: the private Redis server's data and the gateway's keys.",
  },
  {
    name: "redisUrl",
    type: { kind: "redis" },
    default: "",
    doc: "The Redis or Valkey server with the gateway's records, or a cluster by some of its servers, `redis+cluster://host:port,host:port`; empty starts a private server on a Unix socket, which needs no setup.",
    secret: true,
  },
  {
    name: "durability",
    type: { kind: "enum", values: durabilityLevels },
    default: "everysec",
    doc: "How durable a change is when it is acknowledged: everysec may lose the last seconds in a crash of the machine, always loses nothing and is slower, replicated waits for replicas of the server at redisUrl.",
  },
  {
    name: "durabilityCheck",
    type: { kind: "enum", values: ["refuse", "warn"] },
    default: "refuse",
    doc: "What happens at the start if the server at redisUrl is configured for less than durability, or may evict records; warn is for trials whose records may be lost.",
  },
  {
    name: "durabilityReplicas",
    type: { kind: "int", min: 1, max: 8 },
    default: 1,
    doc: "How many replicas of each server must have a change before it is acknowledged, with durability replicated; set more than half of those that may be promoted.",
  },
  {
    name: "durabilityOn",
    type: { kind: "enum", values: ["memory", "disk"] },
    default: "memory",
    doc: "Whether replicas must have a change in memory or on disk, with durability replicated; disk takes up to a second if they have appendfsync everysec.",
  },
  {
    name: "durabilityWithinMs",
    type: { kind: "duration", minMs: 10, maxMs: 10_000 },
    default: 1500,
    doc: "How long replicas may take to acknowledge a change, in ms, with durability replicated; after that the call gets DURABILITY_UNCONFIRMED and has to be repeated.",
  },
  {
    name: "audience",
    type: { kind: "string", pattern: /^[\x21-\x7e]{1,200}$/, patternText: "1 to 200 printable characters without spaces" },
    default: "petak",
    doc: "The required aud of request tokens; the default is independent of the address, so that a new address breaks no client. Set it if several gateways share participants.",
  },
  {
    name: "adminKeyFile",
    type: { kind: "path" },
    default: "",
    doc: "The file of the first administrator's private key, created at the first start; empty means keys/admin.json in dataDir.",
  },
  {
    name: "readMaxBytes",
    type: { kind: "int", min: 1024, max: 64 * 1024 * 1024 },
    default: defaultCallLimits.readMaxBytes,
    doc: "The largest message that is read, in bytes after decompression; a hundred sites with all fields set take a tenth of the default.",
  },
  {
    name: "writeMaxBytes",
    type: { kind: "int", min: 64 * 1024, max: 64 * 1024 * 1024 },
    default: defaultCallLimits.writeMaxBytes,
    doc: "The largest message that is sent, in bytes; the default is the default limit of gRPC clients.",
  },
  {
    name: "maxTimeoutMs",
    type: { kind: "duration", minMs: 100, maxMs: 600_000 },
    default: defaultCallLimits.maxTimeoutMs,
    doc: "The longest duration of a unary call, in ms; longer deadlines are reduced to it. The default is twice the longest long poll.",
  },
  {
    name: "defaultTimeoutMs",
    type: { kind: "duration", minMs: 100, maxMs: 600_000 },
    default: defaultCallLimits.defaultTimeoutMs,
    doc: "The deadline of unary calls without one, in ms, so that no call hangs forever; the default is long for calls that do not wait.",
  },
  {
    name: "maxConcurrentCalls",
    type: { kind: "int", min: 1, max: 100_000 },
    default: defaultCallLimits.maxConcurrentCalls,
    doc: "Concurrent unary calls, beyond which calls are refused with OVERLOADED; more than the default would only wait for each other in one process.",
  },
  {
    name: "maxConcurrentStreams",
    type: { kind: "int", min: 1, max: 100_000 },
    default: defaultCallLimits.maxConcurrentStreams,
    doc: "Concurrent streams over all connections, beyond which streams are refused with OVERLOADED; they are counted separately because they are long and mostly idle.",
  },
  {
    name: "maxConnections",
    type: { kind: "int", min: 1, max: 1_000_000 },
    default: defaultServerLimits.maxConnections,
    doc: "Concurrent TCP connections, beyond which connections are closed; the default suits a small machine.",
  },
  {
    name: "sniffTimeoutMs",
    type: { kind: "duration", minMs: 100, maxMs: 120_000 },
    default: defaultServerLimits.sniffTimeoutMs,
    doc: "How long a new connection may take to send its first bytes or complete its TLS handshake, in ms; slow mobile networks need a few seconds.",
  },
  {
    name: "shutdownGraceMs",
    type: { kind: "duration", minMs: 0, maxMs: 600_000 },
    default: 10_000,
    doc: "How long a shutdown waits for calls in flight, in ms; process managers usually kill after 30 s.",
  },
  {
    name: "logLevel",
    type: { kind: "enum", values: logLevels },
    default: "info",
    doc: "The lowest level of log lines that are written; info is one line for each call.",
  },
  {
    name: "holdDefaultMs",
    type: { kind: "duration", minMs: 1000, maxMs: 86_400_000 },
    default: 900_000,
    doc: "The duration of a hold if the request does not specify it, in ms; a quarter of an hour is enough for a checkout.",
  },
  {
    name: "holdMaxMs",
    type: { kind: "duration", minMs: 1000, maxMs: 86_400_000 },
    default: 86_400_000,
    doc: "The longest hold, in ms; longer requests are reduced to it. The default is the protocol's limit of a day.",
  },
  {
    name: "queueSiteMax",
    type: { kind: "int", min: 1, max: 10_000 },
    default: defaultQueueLimits.siteMax,
    doc: "Queued reservations of one site, beyond which requests are refused with QUEUE_FULL; beyond the default a place is very unlikely.",
  },
  {
    name: "queueShareMax",
    type: { kind: "int", min: 1, max: 10_000 },
    default: defaultQueueLimits.shareMax,
    doc: "Queued reservations of one participant at one site; with the default it takes five participants to fill a queue.",
  },
  {
    name: "queueRegionShareMax",
    type: { kind: "int", min: 1, max: 1_000_000 },
    default: defaultQueueLimits.regionShareMax,
    doc: "Queued reservations of one participant in one region, which is about 100 km wide; the default takes about 10 MB of Redis.",
  },
  {
    name: "depositDefaultMs",
    type: { kind: "duration", minMs: 60_000, maxMs: 604_800_000 },
    default: 86_400_000,
    doc: "The time for the deposit after the confirmation if the request does not specify it, in ms; couriers come at least once a day.",
  },
  {
    name: "collectWithinMs",
    type: { kind: "duration", minMs: 3_600_000, maxMs: 1_209_600_000 },
    default: 259_200_000,
    doc: "The time for the collection after the deposit if neither the site's nor its operator's terms specify it, in ms; nine of ten parcels are collected within three days.",
  },
  {
    name: "storageMaxMs",
    type: { kind: "duration", minMs: 3_600_000, maxMs: 7_776_000_000 },
    default: 1_209_600_000,
    doc: "The longest storage after the deposit, including extensions, if neither the site's nor its operator's terms specify it, in ms; two weeks are more than most operators grant.",
  },
  {
    name: "sweepIntervalMs",
    type: { kind: "duration", minMs: 100, maxMs: 600_000 },
    default: 1000,
    doc: "The interval in which passed deadlines are applied, in ms; the place of an expired hold is offered again after that time at most.",
  },
  {
    name: "agentSyncIntervalMs",
    type: { kind: "duration", minMs: 1000, maxMs: 86_400_000 },
    default: 60_000,
    doc: "The interval in which agents call Sync, in ms; commands reach them at once, so this only bounds the delay of a missed command.",
  },
  {
    name: "archiveDir",
    type: { kind: "path" },
    default: "",
    doc: "The directory of the archive for ended reservations and old events; all gateways of a store must share it. Empty means archive in dataDir with the private Redis server, and no archive with your own server.",
  },
  {
    name: "retentionMs",
    type: { kind: "duration", minMs: retentionMinMs, maxMs: 10 * 365 * 86_400_000 },
    default: 30 * 86_400_000,
    doc: "How long ended reservations and events stay in the store before their day is archived, in ms; at least 25 h, because requests may be repeated for a day. Most questions about a parcel arise within the default of a month.",
  },
  {
    name: "archiveIntervalMs",
    type: { kind: "duration", minMs: 1000, maxMs: 86_400_000 },
    default: 60_000,
    doc: "The interval in which the gateway checks for days to archive, in ms; a check takes one command for each region.",
  },
  {
    name: "webhookAllowedNetworks",
    type: { kind: "networks" },
    default: "",
    doc: "Private, loopback, link-local or reserved networks to which webhooks may be sent; none by default, so that webhooks cannot reach the gateway's own network.",
  },
  {
    name: "testClock",
    type: { kind: "bool" },
    default: false,
    doc: "Whether the gateway has a clock that TestClockService moves, for tests and simulators; it then serves the test network only and refuses live keys. The clock keeps its offset from the system's clock over restarts.",
  },
  {
    name: "webhookAllowHttp",
    type: { kind: "bool" },
    default: false,
    doc: "Whether webhooks may be sent to `http://` URLs too; off by default, because anybody on the network path could read them.",
  },
  {
    name: "webhookConcurrency",
    type: { kind: "int", min: 2, max: 10_000 },
    default: 256,
    doc: "Concurrent webhook attempts, half of them for endpoints that fail or are slow; each is a connection, and one endpoint has at most four.",
  },
] as const satisfies readonly Setting[];

type Settings = (typeof settings)[number];

/** The validated settings of a gateway. */
export type Config = { readonly [Entry in Settings as Entry["name"]]: SettingValue<Entry["type"]> };

/** Variables of the command line that begin with PETAK_ and are not settings of the gateway. */
export const otherVariables: Readonly<Record<string, string>> = {
  PETAK_CONFIG: "The configuration file; the same as `--config`.",
  PETAK_URL: "The gateway that `petak` commands call.",
  PETAK_KEY: "The key file that `petak` commands sign with.",
  PETAK_TEST_SEED: "The seed of randomized tests.",
};
