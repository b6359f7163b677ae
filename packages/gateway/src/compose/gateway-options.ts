import type { DataVersionError, EnterStoreOptions, Quotas } from "@petak/records";
import type { RedisAddress } from "@petak/redis";
import type { Neighbour } from "../features/api-description/front-page.ts";
import type { CommandLimits } from "../features/command/count-commands.ts";
import type { OpenDirectorySettings } from "../features/open-directory/open-directory.ts";
import type { Sandbox } from "../features/sandbox/sandbox.ts";
import type { WebhookOptions } from "../features/webhook/delivery/webhook-sending.ts";
import type { Logger, Metrics } from "../observability/index.ts";
import type { StoreFillLimits } from "../store-watch/store-fill.ts";
import type { CallLimits, PlainRoute, ServerAddress, ServerLimits } from "../transport/index.ts";
import type { ReadinessCheck } from "../transport/plain-http/operational-routes.ts";
import type { DurabilityOptions } from "./durability.ts";
import type { ArchiveOptions } from "./open-archive.ts";
import type { StatedStart } from "./own-changes.ts";
import type { AdminIdentity } from "./register-admin.ts";
import type { TlsFiles } from "./tls-files.ts";

/** Settings of a gateway. */
export interface GatewayOptions extends OpenDirectorySettings {
  /** The store. */
  redis: RedisAddress;
  /** How safe a change is when it is acknowledged. Default: as the server is configured. */
  durability?: DurabilityOptions;
  /** Prefix of all keys, which separates networks on one server. Default `petak`. */
  keyPrefix?: string;
  /** Directory of the gateway's own files: its secrets. */
  dataDir: string;
  /** The `aud` that request tokens must have. Default, and if empty: the one in the store, which is made at random at the first start. */
  audience?: string;
  host: string;
  /** 0: any free port. */
  port: number;
  /** Where `/metrics` is served, and `/livez` and `/readyz` too. Default: nowhere. */
  management?: ServerAddress | undefined;
  /** Whether the public port answers gRPC server reflection. Default false. */
  reflection?: boolean;
  /** The files of the public port's certificate, which is replaced when they change. Default: cleartext. */
  tls?: TlsFiles;
  /** How often these files are read, in ms. Default 10,000. */
  tlsIntervalMs?: number;
  callLimits?: Partial<CallLimits>;
  serverLimits?: Partial<ServerLimits>;
  /** How long a stop waits for calls in flight, in ms. */
  shutdownGraceMs: number;
  /** How long a place is held when the caller does not say, and at most, in ms. */
  holdDefaultMs: number;
  holdMaxMs: number;
  /** How long a depositor has when the caller does not say, in ms. */
  depositDefaultMs: number;
  /** How long a collector has after the deposit when neither site nor operator says, in ms. */
  collectWithinMs: number;
  /** How long a parcel may stay after the deposit, extensions included, when neither site nor operator says, in ms. */
  storageMaxMs: number;
  /** How many unconfirmed holds a participant may have: at a site at least, in percent of its places, in a region and in all. */
  holdsSiteMin?: number;
  holdsSitePercent?: number;
  holdsRegionMax?: number;
  holdsAllMax?: number;
  /** How many reservations may wait at one site, and of one participant at one site and in one region. Default: the limits of the records. */
  queueSiteMax?: number;
  queueShareMax?: number;
  queueRegionShareMax?: number;
  /** The most commands that may be sent. Default: {@link defaultCommandLimits}. */
  commandLimits?: Partial<CommandLimits>;
  /** The most that may exist of what participants make. Default: the quotas of the records. */
  quotas?: Partial<Quotas>;
  /** Most entries of administrative changes that are stored of each participant in each network. Default: the bounds of the records. */
  auditEntriesMax?: number;
  /** Pause between two sweeps for passed deadlines, in ms. */
  sweepIntervalMs: number;
  /** How often agents call Sync, in ms. */
  agentSyncIntervalMs: number;
  /** How often the secrets are read again, in ms. Default 10,000: a rotation allows an hour for it. */
  secretsIntervalMs?: number;
  /** Settings of webhook delivery. Default: to public addresses over TLS. */
  webhooks?: WebhookOptions;
  /** Where ended reservations and old events go, and when. Default: they stay in the store. */
  archive?: ArchiveOptions;
  /** How full the store may become. Default: by the servers' `maxmemory`. */
  storeFill?: StoreFillLimits;
  /**
   * Links of the front page to what the same program serves beside the gateway. Read at each request, since that opens after the gateway.
   * Default: none.
   */
  neighbours?: () => readonly Neighbour[];
  /**
   * Offers SandboxService over these test sites. Read at each call, since they open after the gateway, whose callers they are; undefined while they open.
   * Default: the gateway does not have the service.
   */
  sandboxHost?: () => Sandbox | undefined;
  /** Further checks of `/readyz`, by name: what the same program has to do before it is of use. Default: none. */
  readinessChecks?: Readonly<Record<string, ReadinessCheck>>;
  /** What is recorded of this start for auditors. Default: nothing. */
  statedStart?: StatedStart;
  /** The administrator, or a function that returns it when the audience is known. */
  admin?: AdminIdentity | ((audience: string) => Promise<AdminIdentity>);
  /** Where spans are sent: the base URL of a collector that takes OTLP over HTTP. Default, and if empty: nowhere. */
  otlpEndpoint?: string;
  /** How many of the calls whose caller sends no trace, and of webhook attempts, are recorded, in percent. Default 100. */
  otlpSamplePercent?: number;
  logger: Logger;
  metrics: Metrics;
  /**
   * Whether the gateway has a clock that TestClockService moves, and serves the test network only: live keys are refused but those that administer.
   * Default false.
   */
  testClock?: boolean;
  /** The clock, in ms. Default: the system's. */
  now?: () => number;
  /** Whether the clock ends nothing before Redis's clock agrees. Default: true unless another clock is given. */
  followsStoreClock?: boolean;
  /** Whether plain unary calls take the unary fast path. Default true; false for comparisons. */
  hasUnaryFastPath?: boolean;
  /** Whether the HTTP/1.1 fast reader reads plain unary calls. Needs the unary fast path. Default true; false for comparisons. */
  hasHttp1FastReader?: boolean;
  /** How the gateway enters the store. Default: as this release. Tests use it to act as other releases. */
  storeEntry?: Partial<Pick<EnterStoreOptions, "versions" | "registeredMs">>;
}

/** A running gateway. */
export interface Gateway {
  readonly address: ServerAddress;
  /** The address of the management listener. Undefined if there is none. */
  readonly managementAddress: ServerAddress | undefined;
  /** The `aud` that request tokens must have. */
  readonly audience: string;
  /**
   * Resolves when the gateway has stopped because another gateway has raised the version of the store's data beyond what this one reads. Otherwise it
   * stays pending.
   */
  readonly refusal: Promise<DataVersionError>;
  /** The pages of the management listener, whether there is one or not. */
  readonly managementPages: ReadonlyMap<string, PlainRoute>;
  /** The public port's certificate chain in PEM, as it is used now. Undefined without TLS. */
  certificate(): string | undefined;
  /** Reads the files of the public port's certificate now, and says in the log what came of it. Without TLS there is nothing to read. */
  reloadTls(): Promise<void>;
  /** Stops taking calls, completes those in flight, and releases everything. */
  stop(): Promise<void>;
}
