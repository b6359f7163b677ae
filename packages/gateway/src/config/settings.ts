import { defaultAuditBounds, defaultQueueLimits, defaultQuotas, retentionMinMs } from "@petak/records";
import { durabilityLevels } from "@petak/redis";
import { defaultCommandLimits } from "../features/command/count-commands.ts";
import { defaultHoldAllowance } from "../features/reservation/hold-allowance.ts";
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
    name: "management",
    type: { kind: "address" },
    default: "",
    doc: "Where /metrics is served, and /livez and /readyz too, in cleartext and without credentials; empty means 127.0.0.1, at a port that is 1000 above port, or a free one if port is 0. Set another host only on an internal network.",
  },
  {
    name: "workers",
    type: { kind: "string", pattern: /^(auto|[1-9]|[1-5]\d|6[0-4])$/, patternText: "auto, or a number from 1 to 64" },
    default: "1",
    doc: "The processes that serve the port together; auto takes as many as there are processor cores. The limits of connections are divided among them, each counts concurrent calls for itself, and what one caller may have is counted over all, as over several gateways.",
  },
  {
    name: "reflection",
    type: { kind: "bool" },
    default: false,
    doc: "Whether the port answers gRPC server reflection, by which clients without proto files learn the schema; off by default, because only development needs it. `petak start` has it on.",
  },
  {
    name: "tlsCert",
    type: { kind: "path" },
    default: "",
    doc: "The file with the certificate chain in PEM; with tlsKey the port uses TLS (1.3, or 1.2 with clients that have no other), without both cleartext, e.g. behind a proxy. A changed file is used within 10 s, or at once on SIGHUP.",
  },
  { name: "tlsKey", type: { kind: "path" }, default: "", doc: "The file with the certificate's private key in PEM." },
  {
    name: "tlsClientCa",
    type: { kind: "path" },
    default: "",
    doc: "The file with the authorities, in PEM, of which every client of the port must have a certificate (mutual TLS); empty means that clients need none, since their requests are signed.",
  },
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
    name: "storeMaxBytes",
    type: { kind: "int", min: 0, max: Number.MAX_SAFE_INTEGER },
    default: 0,
    doc: "The memory that each Redis server may use, in bytes, if that is less than its maxmemory; 0 means its maxmemory, and with the private Redis server half of this machine's memory.",
  },
  {
    name: "storeWarnPercent",
    type: { kind: "int", min: 1, max: 98 },
    default: 70,
    doc: "The fill of the store from which the log warns and calls with test keys that make it grow are refused with STORE_FULL, in percent; the default leaves days to add memory in most networks.",
  },
  {
    name: "storeRefusePercent",
    type: { kind: "int", min: 1, max: 98 },
    default: 85,
    doc: "The fill of the store from which calls that make it grow are refused with STORE_FULL, in percent; the rest is room for revocations, agents' reports, cancellations and collections.",
  },
  {
    name: "audience",
    type: { kind: "string", pattern: /^[\x21-\x7e]{0,200}$/, patternText: "at most 200 printable characters without spaces" },
    default: "",
    doc: "The required aud of request tokens; empty means the one that is kept in the store, made at random at the first start, so that a token for one network is good in no other, and a new address breaks no client.",
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
    name: "callerCallsGuaranteed",
    type: { kind: "int", min: 1, max: 10_000 },
    default: defaultCallLimits.callerCallsGuaranteed,
    doc: "Unary calls that a caller may have in progress whatever others do, as long as maxConcurrentCalls is not reached; beyond it a caller may have as many as are left free, so the default matters only with more than a hundred callers at once. A caller is a participant, the pages with its publishable keys, or, before its credentials are verified, an address.",
  },
  {
    name: "callerCallsMax",
    type: { kind: "int", min: 1, max: 100_000 },
    default: defaultCallLimits.callerCallsMax,
    doc: "Unary calls that one caller may have in progress, beyond which its calls are refused with RATE_LIMITED; it gets less while others leave less free, since a caller may have as many as are left free. The default is half of maxConcurrentCalls.",
  },
  {
    name: "callerCallsRunning",
    type: { kind: "int", min: 1, max: 100_000 },
    default: defaultCallLimits.callerCallsRunning,
    doc: "Unary calls of one caller that are handled at once, its others wait for them; the store combines as many as the default into one step, so more would not end sooner, and would delay the calls of others. Raise it where the store takes tens of milliseconds to acknowledge changes.",
  },
  {
    name: "callerRefusalsPerSecond",
    type: { kind: "int", min: 1, max: 10_000 },
    default: defaultCallLimits.callerRefusalsPerSecond,
    doc: "Refusals that one caller is told each second, and requests for pages that are answered to one address; further ones are answered later, by up to 10 s. With the default 600 connections that heed no RetryInfo take less than a hundredth of a processor.",
  },
  {
    name: "failedAuthenticationsMax",
    type: { kind: "int", min: 1, max: 1_000_000 },
    default: defaultCallLimits.failedAuthenticationsMax,
    doc: "Invalid credentials that an address may send at once, one more each second; beyond it credentials with an unknown key are refused with RATE_LIMITED before the store is asked, and those with a known key after as many failures of that key there, before their signature is verified. Tokens that were verified before are not affected. Several people may configure clients wrongly behind one address.",
  },
  {
    name: "maxConnections",
    type: { kind: "int", min: 1, max: 1_000_000 },
    default: defaultServerLimits.maxConnections,
    doc: "Concurrent TCP connections, beyond which idle ones are closed for new ones, and those whose caller is not known first; the default suits a small machine.",
  },
  {
    name: "maxConnectionsPerAddress",
    type: { kind: "int", min: 1, max: 1_000_000 },
    default: defaultServerLimits.maxConnectionsPerAddress,
    doc: "Concurrent TCP connections from one address, or one /64 of IPv6; an address gets less while others leave less free. The default is a quarter of maxConnections: a large office or a mobile network behind one address. Connections of trustedProxies are not limited by it.",
  },
  {
    name: "healthConnections",
    type: { kind: "int", min: 0, max: 1000 },
    default: defaultServerLimits.healthConnections,
    doc: "Connections beyond the limits above, at most a quarter of maxConnections, that may only make health checks (/livez, /readyz, grpc.health.v1); the oldest is closed for a new one, so that supervisors get through while the port is full. The default is many more than there are supervisors.",
  },
  {
    name: "firstCallTimeoutMs",
    type: { kind: "duration", minMs: 100, maxMs: 600_000 },
    default: defaultServerLimits.firstCallTimeoutMs,
    doc: "How long a connection may be idle while no call on it has had valid credentials, in ms; clients call as soon as they are connected. Connections of trustedProxies may be idle longer.",
  },
  {
    name: "trustedProxies",
    type: { kind: "networks" },
    default: "",
    doc: "The networks of the proxies in front of the gateway, whose forwardedHeader is believed; none by default, because a client could otherwise invent its address. Without it all calls through a proxy count for the proxy's address until their callers are known.",
  },
  {
    name: "forwardedHeader",
    type: { kind: "enum", values: ["x-forwarded-for", "forwarded"] },
    default: defaultServerLimits.trustedProxies.header,
    doc: "The header in which trustedProxies name the client's address, the last address that is none of theirs; only one header is read, because a proxy passes the other on as the client sent it. Most proxies send the default.",
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
    name: "holdsSiteMin",
    type: { kind: "int", min: 1, max: 65_535 },
    default: defaultHoldAllowance.siteLeast,
    doc: "Unconfirmed holds that one participant may have at any site, however few places are free there; the default is what one courier's stop at a small site takes.",
  },
  {
    name: "holdsSitePercent",
    type: { kind: "int", min: 1, max: 100 },
    default: defaultHoldAllowance.sitePercent,
    doc: "Unconfirmed holds of one participant at one site, in percent of the places that are free or held by it, beyond which requests are refused with HOLDS_EXHAUSTED; 100 is no limit. With the default, half of what is free is left to others until the first half is confirmed.",
  },
  {
    name: "holdsRegionMax",
    type: { kind: "int", min: 1, max: 1_000_000_000 },
    default: defaultHoldAllowance.regionMost,
    doc: "Unconfirmed holds of one participant in one region, which is about 100 km wide; a courier confirms what it reserves within seconds, and the default allows a shop 4000 checkouts an hour with holds of a quarter of an hour.",
  },
  {
    name: "holdsAllMax",
    type: { kind: "int", min: 1, max: 1_000_000_000 },
    default: defaultHoldAllowance.allMost,
    doc: "Unconfirmed holds of one participant in all regions, which each gateway counts with a delay of at most 10 s; the default is five full regions.",
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
    name: "participantsMax",
    type: { kind: "int", min: 1, max: 65_535 },
    default: defaultQuotas.participantsMax,
    doc: "Participants of the store, beyond which CreateParticipant is refused with QUOTA_EXHAUSTED; a region of countries has hundreds of operators, couriers and shops, and each takes some 300 bytes.",
  },
  {
    name: "keysMax",
    type: { kind: "int", min: 1, max: 100_000 },
    default: defaultQuotas.keysMax,
    doc: "A participant's own keys in each network that are not revoked, beyond which RegisterKey is refused with QUOTA_EXHAUSTED; the default is enough for a key of each of its systems.",
  },
  {
    name: "agentKeysMax",
    type: { kind: "int", min: 1, max: 1_000_000 },
    default: defaultQuotas.agentKeysMax,
    doc: "Keys of a participant's agents in each network that are not revoked; a chain of 15,000 stores has as many, twice that while it replaces them all, and the default takes about 12 MB of Redis.",
  },
  {
    name: "publishableKeysMax",
    type: { kind: "int", min: 1, max: 1_000_000 },
    default: defaultQuotas.publishableKeysMax,
    doc: "A participant's publishable keys in each network that are not revoked; a checkout platform has one for each of its thousands of shops.",
  },
  {
    name: "sitesMax",
    type: { kind: "int", min: 1, max: 1_000_000 },
    default: defaultQuotas.sitesMax,
    doc: "An operator's sites in each network, including those retired in the last half year, beyond which UpsertSites is refused with QUOTA_EXHAUSTED; the largest chains have 15,000 sites, and the default takes about 100 MB of Redis.",
  },
  {
    name: "cellSitesMax",
    type: { kind: "int", min: 1, max: 10_000 },
    default: defaultQuotas.cellSitesMax,
    doc: "An operator's sites that are offered in each network within one cell of the index, which is 0.7 km² large and is read as a whole by every search nearby; a dense city has ten. In the test network all operators together have twice as many at most.",
  },
  {
    name: "sizeProfilesMax",
    type: { kind: "int", min: 1, max: 65_536 },
    default: defaultQuotas.sizeProfilesMax,
    doc: "Different sets of size classes of an operator's sites in each region, which is about 100 km wide, and network; sites that are alike share one, makers have tens of models, and a region has room for 65,536 of all operators.",
  },
  {
    name: "openingTimesMax",
    type: { kind: "int", min: 1, max: 65_536 },
    default: defaultQuotas.openingTimesMax,
    doc: "Different opening hours of an operator's sites in each region and network; the default is enough for a city of stores of which each has its own, and a region has room for 65,536 of all operators.",
  },
  {
    name: "termsMax",
    type: { kind: "int", min: 1, max: 1_000_000 },
    default: defaultQuotas.termsMax,
    doc: "Different terms that an operator has stated in each network, beyond which UpsertSites and SetDefaultTerms are refused with QUOTA_EXHAUSTED; terms are kept for good, since reservations name them, and the default is enough for new ones of ten franchises every month for 15 years.",
  },
  {
    name: "reservationEventsMax",
    type: { kind: "int", min: 50, max: 2000 },
    default: defaultQuotas.reservationEventsMax,
    doc: "Events of a reservation beyond which Extend, IssueCredential and CorrectEvents are refused with QUOTA_EXHAUSTED; usual are about ten, and the default is enough for an app that asks for a new token each time that it is opened.",
  },
  {
    name: "auditEntriesMax",
    type: { kind: "int", min: 100, max: 1_000_000 },
    default: defaultAuditBounds.entriesMax,
    doc: "Entries of administrative changes that are stored of each participant in each network, beyond which its oldest one is dropped and readers are told so; nobody's entries make room for another's. The default takes about 4 MB of Redis, and is a year's changes of a large operator.",
  },
  {
    name: "commandsKeyMinuteMax",
    type: { kind: "int", min: 1, max: 10_000 },
    default: defaultCommandLimits.commandsKeyMinuteMax,
    doc: "Commands to devices that one key sends in a minute, beyond which SendCommand is refused with COMMANDS_EXHAUSTED, over all gateways of a store.",
  },
  {
    name: "commandDoorsKeyMinuteMax",
    type: { kind: "int", min: 1, max: 1000 },
    default: defaultCommandLimits.commandDoorsKeyMinuteMax,
    doc: "Doors that the commands of one key open in a minute.",
  },
  {
    name: "commandDoorsSiteHourMax",
    type: { kind: "int", min: 1, max: 1000 },
    default: defaultCommandLimits.commandDoorsSiteHourMax,
    doc: "Doors of one site that commands open in an hour; a terminal opens 30 at most, whatever is set here.",
  },
  {
    name: "commandDoorsOperatorHourMax",
    type: { kind: "int", min: 1, max: 10_000 },
    default: defaultCommandLimits.commandDoorsOperatorHourMax,
    doc: "Doors of all sites of an operator in one network that commands open in an hour: what whoever takes over a centre with all its keys can open.",
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
    doc: "The interval in which agents call Sync, in ms: after that time at the latest they know of a revoked credential or a paused site.",
  },
  {
    name: "archiveDir",
    type: { kind: "path" },
    default: "",
    doc: "The directory of the archive for ended reservations, old events and copies of administrative changes; all gateways of a store must share it. Empty means archive in dataDir with the private Redis server, and no archive with your own server.",
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
    name: "openDirectoryLicence",
    type: {
      kind: "string",
      pattern: /^([A-Za-z0-9][A-Za-z0-9.+-]{0,63}|https:\/\/[!-~]{1,200})?$/,
      patternText: "empty, an SPDX identifier such as CC-BY-4.0, or an https URL",
    },
    default: "",
    doc: "The licence under which the open directory publishes all live sites and what is free there to everybody, at `/feed/v1/manifest.json`; empty means that nothing is published, since that is for the operators to decide (`petak start` publishes its made-up test sites).",
  },
  {
    name: "openDirectoryPublisher",
    type: { kind: "string", pattern: /^[^\p{Cc}\p{Zl}\p{Zp}]{0,120}$/u, patternText: "at most 120 printable characters" },
    default: "",
    doc: "Whom users of the open directory have to name, where its licence asks for a name.",
  },
  {
    name: "openDirectorySitePage",
    type: {
      kind: "string",
      pattern: /^(https:\/\/[!-~]{0,300}\{(site_id|operator_site_ref)\}[!-~]{0,100})?$/,
      patternText: "empty, or an https URL with {site_id} or {operator_site_ref} in it",
    },
    default: "",
    doc: "The page for people of a site in the open directory, e.g. `https://lockers.example/{operator_site_ref}`; empty means that sites have none.",
  },
  {
    name: "openDirectoryLeavesOut",
    type: {
      kind: "string",
      pattern: /^(par_[0-9a-z]{1,36}(,par_[0-9a-z]{1,36})*)?$/,
      patternText: "participants' ids, separated by commas",
    },
    default: "",
    doc: "The operators whose sites the open directory leaves out, because they do not agree to it.",
  },
  {
    name: "webhookAllowedNetworks",
    type: { kind: "networks" },
    default: "",
    doc: "Private, loopback, link-local or reserved networks to which webhooks may be sent; none by default, so that webhooks cannot reach the gateway's own network.",
  },
  {
    name: "otlpEndpoint",
    type: {
      kind: "string",
      pattern: /^(https?:\/\/([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:\d{1,5})?(\/[\w./-]{0,200})?)?$/,
      patternText: "empty, or a URL such as http://127.0.0.1:4318",
    },
    default: "",
    doc: "The OpenTelemetry collector to which a span of each call, of its commands to Redis and of each webhook attempt is sent by OTLP over HTTP, at `/v1/traces` below this URL; empty means that no spans are made and OpenTelemetry is not loaded.",
  },
  {
    name: "otlpSamplePercent",
    type: { kind: "int", min: 0, max: 100 },
    default: 100,
    doc: "How many of the calls without a `traceparent`, of those of agents without its sampled flag, and of the attempts to deliver webhooks of events without one, are recorded as spans, in percent; of other calls the caller decides by its sampled flag. Lower it where a collector cannot keep a span of each call.",
  },
  {
    name: "testClock",
    type: { kind: "bool" },
    default: false,
    doc: "Whether the gateway has a clock that TestClockService moves, for tests and simulators; it then serves the test network only and refuses live keys. The clock keeps its offset from the system's clock over restarts. Other gateways and workers would not follow it: let the store have one gateway of one process.",
  },
  {
    name: "sandbox",
    type: { kind: "bool" },
    default: false,
    doc: "Whether the gateway opens test sites that misbehave on request, and SandboxService, by which integrators deposit and collect there without hardware with test keys; off by default, because anybody with a test key can use them. Turn it on in one gateway of a store.",
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
  PETAK_TLS_CA: "The authorities of which `petak` commands and agents take a gateway's certificate; the same as `--tls-ca`.",
  PETAK_TLS_CLIENT_CERT: "The certificate that `petak` commands and agents show to a gateway; the same as `--tls-client-cert`.",
  PETAK_TLS_CLIENT_KEY: "Its private key; the same as `--tls-client-key`.",
  PETAK_TEST_SEED: "The seed of randomized tests.",
};
