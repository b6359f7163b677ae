import { defaultQueueLimits, retentionMinMs } from "@petak/records";
import { durabilityLevels } from "@petak/redis";
import { logLevels } from "../observability/logger.ts";
import { defaultCallLimits } from "../transport/limits/call-limits.ts";
import { defaultServerLimits } from "../transport/limits/server-limits.ts";
import type { Setting, SettingValue } from "./setting.ts";

/** Every setting of a gateway, in the order in which the documentation lists them. A new one is a new entry and nothing else. */
export const settings = [
  {
    name: "host",
    type: { kind: "string", pattern: /^[A-Za-z0-9.:_-]{1,253}$/, patternSaid: "an address or host name" },
    default: "127.0.0.1",
    doc: "The address to listen on; by default nobody outside of the machine is let in before TLS and keys are thought of.",
  },
  {
    name: "port",
    type: { kind: "int", min: 0, max: 65_535 },
    default: 8420,
    doc: "The port for gRPC, gRPC-Web, Connect and plain HTTP alike; 0 takes a free one.",
  },
  {
    name: "tlsCert",
    type: { kind: "path" },
    default: "",
    doc: "The file with the certificate chain in PEM; with tlsKey the port speaks TLS, without both it speaks cleartext, as behind a proxy.",
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
    doc: "The Redis or Valkey server with the gateway's records, or a cluster by some of its servers, `redis+cluster://host:port,host:port`; empty starts a private one on a Unix socket, so that nothing need be set up.",
    secret: true,
  },
  {
    name: "durability",
    type: { kind: "enum", values: durabilityLevels },
    default: "everysec",
    doc: "How safe a change is when it is answered: everysec may lose the last seconds with the machine, always may not and is slower, replicated waits for replicas of the server at redisUrl.",
  },
  {
    name: "durabilityCheck",
    type: { kind: "enum", values: ["refuse", "warn"] },
    default: "refuse",
    doc: "What a start does where the server at redisUrl is set up for less than durability says, or may throw records away; warn is for a trial whose records may be lost.",
  },
  {
    name: "durabilityReplicas",
    type: { kind: "int", min: 1, max: 8 },
    default: 1,
    doc: "How many replicas of each server must have a change before it is answered, with durability replicated; more than half of those that may be promoted.",
  },
  {
    name: "durabilityOn",
    type: { kind: "enum", values: ["memory", "disk"] },
    default: "memory",
    doc: "Whether replicas must have a change in memory or on disk, with durability replicated; disk takes up to a second where they have appendfsync everysec.",
  },
  {
    name: "durabilityWithinMs",
    type: { kind: "duration", minMs: 10, maxMs: 10_000 },
    default: 1500,
    doc: "How long the replicas have to confirm a change, in ms, with durability replicated; later it is answered with DURABILITY_UNCONFIRMED, to be sent again.",
  },
  {
    name: "audience",
    type: { kind: "string", pattern: /^[\x21-\x7e]{1,200}$/, patternSaid: "1 to 200 printable characters without spaces" },
    default: "petak",
    doc: "What the aud of request tokens must be; a fixed word, so that a change of address breaks no client, to be set where several gateways share participants.",
  },
  {
    name: "adminKeyFile",
    type: { kind: "path" },
    default: "",
    doc: "The file for the first administrator's private key, made at the first start; empty means keys/admin.json in dataDir.",
  },
  {
    name: "readMaxBytes",
    type: { kind: "int", min: 1024, max: 64 * 1024 * 1024 },
    default: defaultCallLimits.readMaxBytes,
    doc: "The greatest message that is read, in bytes after decompression; a hundred sites with everything said are a tenth of the default.",
  },
  {
    name: "writeMaxBytes",
    type: { kind: "int", min: 64 * 1024, max: 64 * 1024 * 1024 },
    default: defaultCallLimits.writeMaxBytes,
    doc: "The greatest message that is sent, in bytes; the default is what gRPC clients read unless told otherwise.",
  },
  {
    name: "maxTimeoutMs",
    type: { kind: "duration", minMs: 100, maxMs: 600_000 },
    default: defaultCallLimits.maxTimeoutMs,
    doc: "The longest a unary call may take, in ms; longer deadlines are shortened to it, and the default is twice the longest long poll.",
  },
  {
    name: "defaultTimeoutMs",
    type: { kind: "duration", minMs: 100, maxMs: 600_000 },
    default: defaultCallLimits.defaultTimeoutMs,
    doc: "The deadline of a unary call that brings none, in ms; long for a call that waits for nothing, so that none hangs for ever.",
  },
  {
    name: "maxConcurrentCalls",
    type: { kind: "int", min: 1, max: 100_000 },
    default: defaultCallLimits.maxConcurrentCalls,
    doc: "Unary calls handled at once, others are refused with OVERLOADED; one process gains nothing by more, since they only wait for one another.",
  },
  {
    name: "maxConcurrentStreams",
    type: { kind: "int", min: 1, max: 100_000 },
    default: defaultCallLimits.maxConcurrentStreams,
    doc: "Streams open at once over all connections, others are refused with OVERLOADED; counted apart because they are long and mostly idle.",
  },
  {
    name: "maxConnections",
    type: { kind: "int", min: 1, max: 1_000_000 },
    default: defaultServerLimits.maxConnections,
    doc: "TCP connections open at once, others are closed; the default is what a small machine can bear.",
  },
  {
    name: "sniffTimeoutMs",
    type: { kind: "duration", minMs: 100, maxMs: 120_000 },
    default: defaultServerLimits.sniffTimeoutMs,
    doc: "How long a new connection may take to show its protocol or finish its TLS handshake, in ms; slow mobile networks need a few seconds.",
  },
  {
    name: "shutdownGraceMs",
    type: { kind: "duration", minMs: 0, maxMs: 600_000 },
    default: 10_000,
    doc: "How long a stop waits for what is in flight, in ms; process managers commonly kill after 30 s.",
  },
  {
    name: "logLevel",
    type: { kind: "enum", values: logLevels },
    default: "info",
    doc: "The least important log lines that are written; info is one line a call.",
  },
  {
    name: "holdDefaultMs",
    type: { kind: "duration", minMs: 1000, maxMs: 86_400_000 },
    default: 900_000,
    doc: "How long a place is held until it is confirmed where the caller does not say, in ms; a quarter of an hour is time for a checkout.",
  },
  {
    name: "holdMaxMs",
    type: { kind: "duration", minMs: 1000, maxMs: 86_400_000 },
    default: 86_400_000,
    doc: "The longest hold, in ms; longer wishes are shortened to it, and the default is the protocol's own bound of a day.",
  },
  {
    name: "queueSiteMax",
    type: { kind: "int", min: 1, max: 10_000 },
    default: defaultQueueLimits.siteMax,
    doc: "Reservations that wait at one site, others are refused with QUEUE_FULL; who comes after the default waits in vain nearly always.",
  },
  {
    name: "queueShareMax",
    type: { kind: "int", min: 1, max: 10_000 },
    default: defaultQueueLimits.shareMax,
    doc: "Reservations of one participant that wait at one site; with the default five can fill a queue, and one cannot.",
  },
  {
    name: "queueRegionShareMax",
    type: { kind: "int", min: 1, max: 1_000_000 },
    default: defaultQueueLimits.regionShareMax,
    doc: "Reservations of one participant that wait in one region, some 100 km across; the default takes about 10 MB of Redis.",
  },
  {
    name: "depositDefaultMs",
    type: { kind: "duration", minMs: 60_000, maxMs: 604_800_000 },
    default: 86_400_000,
    doc: "How long a depositor has after the confirmation where the caller does not say, in ms; a courier's next round comes within a day.",
  },
  {
    name: "collectWithinMs",
    type: { kind: "duration", minMs: 3_600_000, maxMs: 1_209_600_000 },
    default: 259_200_000,
    doc: "How long a collector has after the deposit where neither the site's terms nor its operator's say, in ms; nine of ten parcels are collected within three days.",
  },
  {
    name: "storageMaxMs",
    type: { kind: "duration", minMs: 3_600_000, maxMs: 7_776_000_000 },
    default: 1_209_600_000,
    doc: "How long a parcel may lie at most after the deposit, in ms, however often Extend is asked, where neither the site's terms nor its operator's say; two weeks are more than most operators give.",
  },
  {
    name: "sweepIntervalMs",
    type: { kind: "duration", minMs: 100, maxMs: 600_000 },
    default: 1000,
    doc: "How often expired holds are looked for, in ms; a place is offered again at most that much later.",
  },
  {
    name: "agentSyncIntervalMs",
    type: { kind: "duration", minMs: 1000, maxMs: 86_400_000 },
    default: 60_000,
    doc: "How often agents are told to sync, in ms; commands reach them at once, so this only bounds how long a missed one is missed.",
  },
  {
    name: "archiveDir",
    type: { kind: "path" },
    default: "",
    doc: "The directory of the archive, for what has left the records; all gateways of the same records must share it. Empty means archive in dataDir beside the private Redis server, and beside your own that nothing leaves the records.",
  },
  {
    name: "retentionMs",
    type: { kind: "duration", minMs: retentionMinMs, maxMs: 10 * 365 * 86_400_000 },
    default: 30 * 86_400_000,
    doc: "How long ended reservations and events stay in the records before their day leaves for the archive, in ms; at least 25 h, since a request may be repeated for a day. Most questions about a parcel come within the default of a month.",
  },
  {
    name: "archiveIntervalMs",
    type: { kind: "duration", minMs: 1000, maxMs: 86_400_000 },
    default: 60_000,
    doc: "How often it is looked whether a day has to leave for the archive, in ms; a look costs a command for each region.",
  },
  {
    name: "webhookAllowedNetworks",
    type: { kind: "networks" },
    default: "",
    doc: "Networks to which webhooks may be sent although they are private, loopback, link-local or reserved; none by default, so that nobody reaches the gateway's neighbours through it.",
  },
  {
    name: "testClock",
    type: { kind: "bool" },
    default: false,
    doc: "Whether the gateway has a clock that TestClockService moves, for tests and simulators; it then serves the test network only and refuses live keys. The clock keeps its lead over the system's when the gateway starts again.",
  },
  {
    name: "webhookAllowHttp",
    type: { kind: "bool" },
    default: false,
    doc: "Whether webhooks may be sent to `http://` as well; not by default, since anybody on the way would read them.",
  },
  {
    name: "webhookConcurrency",
    type: { kind: "int", min: 2, max: 10_000 },
    default: 256,
    doc: "Webhooks under way at once, half of them for endpoints that fail or take long; each is a connection, and one endpoint has at most four.",
  },
] as const satisfies readonly Setting[];

type Settings = (typeof settings)[number];

/** The settings of a gateway, each checked. */
export type Config = { readonly [Entry in Settings as Entry["name"]]: SettingValue<Entry["type"]> };

/** Variables that begin with PETAK_ and are no settings of the gateway: the command line's own. */
export const otherVariables: Readonly<Record<string, string>> = {
  PETAK_CONFIG: "The configuration file; the same as `--config`.",
  PETAK_URL: "The gateway that `petak` commands call.",
  PETAK_KEY: "The key file that `petak` commands sign with.",
  PETAK_TEST_SEED: "The seed of randomized tests.",
};
