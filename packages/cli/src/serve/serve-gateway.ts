import { join, resolve } from "node:path";
import type { TlsOptions } from "@petak/client/node";
import {
  AdminError,
  type Config,
  createMetrics,
  DataVersionError,
  DurabilityError,
  type DurabilityOptions,
  type Gateway,
  type GatewayOptions,
  type Logger,
  loadConfig,
  type Metrics,
  managementAddress,
  parseNetworks,
  prepareServingProcess,
  ServerStartError,
  StoreStartError,
  startGateway,
  statedSettings,
} from "@petak/gateway";
import { parseRedisAddress, type RedisAddress } from "@petak/redis";
import type { RedisServer } from "@petak/redis/server";
import cliPackage from "../../package.json" with { type: "json" };
import { CliFailure } from "../failure.ts";
import { serveSandbox } from "../sandbox/serve-sandbox.ts";
import { type AdminKey, loadAdminKey } from "./admin-key.ts";
import { gatewayUrl } from "./gateway-url.ts";
import { openStore } from "./open-store.ts";
import { ownTls } from "./own-tls.ts";

/** A gateway that serves a port. */
export interface ServedPort {
  /** Its address for clients on the same machine. */
  url: string;
  /** The address of its management listener, below which `/metrics` is; undefined if there is none. */
  managementUrl: string | undefined;
  /**
   * Resolves with a failure to throw when there is nothing to go on with: the private server has ended by itself, or the gateway must not use the
   * data any more. Else it stays pending.
   */
  ended: Promise<CliFailure>;
  /** Reads the files of the port's certificate now, which otherwise takes up to 10 s. The log says what came of it. */
  reload(): Promise<void>;
  /** Stops everything, the gateway first. */
  stop(): Promise<void>;
}

/** A gateway in this process, with everything that was started for it. */
export interface ServedGateway extends ServedPort {
  gateway: Gateway;
  admin: AdminKey;
  /** How clients in this process connect to it; undefined without TLS. */
  tls: (() => TlsOptions) | undefined;
  /** The private server; undefined if the configuration names another. */
  redis: RedisServer | undefined;
  metrics: Metrics;
}

/** What a program that starts a gateway says of it, which no setting can. */
export type ServedOptions = Pick<GatewayOptions, "openDirectoryNetwork" | "neighbours" | "readinessChecks"> & {
  /** Whether the gateway has a management listener. Default true. */
  hasManagement?: boolean;
};

/**
 * Starts a gateway by its configuration, with a private Redis if that names none.
 *
 * @throws {CliFailure} if it cannot start; the message gives the reason and the remedy.
 */
export async function serveGateway(given: Config, cwd: string, logger: Logger, options: ServedOptions = {}): Promise<ServedGateway> {
  const { hasManagement = true, ...served } = options;
  prepareServingProcess();
  const store = await openStore(given, cwd, logger);
  const { config, redis } = store;
  const dataDir = resolve(cwd, config.dataDir);
  const adminKeyPath = config.adminKeyFile === "" ? join(dataDir, "keys", "admin.json") : resolve(cwd, config.adminKeyFile);
  try {
    const sandbox = config.sandbox ? await serveSandbox(dataDir) : undefined;
    let admin: AdminKey | undefined;
    const tls = tlsFilesOf(config, cwd);
    const metrics = createMetrics();
    const gateway = await startGateway({
      ...config,
      ...served,
      statedStart: { version: cliPackage.version, settings: statedSettings(given), defaults: statedSettings(loadConfig()) },
      management: hasManagement ? managementAddress(config) : undefined,
      ...(sandbox && { sandboxHost: sandbox.current, openDirectoryHides: sandbox.isOperator }),
      durability: durabilityOf(config),
      redis: redisAddress(config.redisUrl),
      dataDir,
      storeFill: {
        maxBytes: config.storeMaxBytes,
        warnPercent: config.storeWarnPercent,
        refusePercent: config.storeRefusePercent,
      },
      ...(tls === undefined ? {} : { tls }),
      callLimits: config,
      serverLimits: {
        ...config,
        trustedProxies: { networks: parseNetworks(config.trustedProxies) ?? [], header: config.forwardedHeader },
      },
      quotas: config,
      commandLimits: config,
      webhooks: {
        allowedNetworks: parseNetworks(config.webhookAllowedNetworks) ?? [],
        allowHttp: config.webhookAllowHttp,
        concurrency: config.webhookConcurrency,
      },
      ...(config.archiveDir !== "" && {
        archive: { directory: resolve(cwd, config.archiveDir), retentionMs: config.retentionMs, intervalMs: config.archiveIntervalMs },
      }),
      admin: async (audience) => {
        admin = await loadAdminKey(adminKeyPath, audience);
        return admin.identity;
      },
      logger,
      metrics,
    });
    const management = gateway.managementAddress;
    const ended = Promise.withResolvers<CliFailure>();
    void store.ended.then(ended.resolve);
    void gateway.refusal.then(({ message }) => ended.resolve(new CliFailure(message, { reason: "data-version" })));
    if (admin === undefined) throw new Error("the gateway did not ask for its administrator");
    const url = gatewayUrl(tls === undefined ? "http" : "https", config.host, gateway.address.port);
    const own = ownTls(() => gateway.certificate());
    sandbox?.begin({ gatewayUrl: url, tls: own, hasTestClock: config.testClock, adminKey: admin.keyFile, logger });
    return {
      gateway,
      admin,
      url,
      managementUrl: management && gatewayUrl("http", management.host, management.port),
      tls: own,
      redis,
      metrics,
      ended: ended.promise,
      reload: () => gateway.reloadTls(),
      async stop() {
        store.isStopping();
        try {
          // First, so that its terminals can still report.
          await sandbox?.stop();
          await gateway.stop();
        } finally {
          await store.stop();
        }
      },
    };
  } catch (error) {
    await store.stop();
    if (error instanceof AdminError) throw new CliFailure(`${adminKeyPath} cannot be used: ${error.message}`, { cause: error });
    throw explainStart(error);
  }
}

function durabilityOf({ durability, durabilityCheck, durabilityReplicas, durabilityOn, durabilityWithinMs }: Config): DurabilityOptions {
  return {
    level: durability,
    check: durabilityCheck,
    replication: { replicas: durabilityReplicas, on: durabilityOn, withinMs: durabilityWithinMs },
  };
}

function tlsFilesOf({ tlsCert, tlsKey, tlsClientCa }: Config, cwd: string): GatewayOptions["tls"] {
  if (tlsCert === "") return undefined;
  const clientCa = tlsClientCa === "" ? {} : { clientCa: resolve(cwd, tlsClientCa) };
  return { cert: resolve(cwd, tlsCert), key: resolve(cwd, tlsKey), ...clientCa };
}

/** The address in a setting that was validated when it was loaded. */
function redisAddress(redisUrl: string): RedisAddress {
  return parseRedisAddress(redisUrl) as RedisAddress;
}

/** Converts what a start has thrown to a failure, where people can do something about it. */
export function explainStart(error: unknown): unknown {
  const isExplained = [ServerStartError, DurabilityError, StoreStartError, DataVersionError].some((kind) => error instanceof kind);
  if (isExplained) return new CliFailure((error as Error).message, { cause: error });
  const { code, path } = error as NodeJS.ErrnoException;
  if (code === "ENOENT" && path !== undefined) return new CliFailure(`${path} does not exist.`, { cause: error });
  return error;
}
