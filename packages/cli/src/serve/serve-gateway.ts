import { readFile } from "node:fs/promises";
import { totalmem } from "node:os";
import { join, resolve } from "node:path";
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
  managementAddress,
  parseNetworks,
  prepareServingProcess,
  ServerStartError,
  StoreStartError,
  startGateway,
} from "@petak/gateway";
import { parseRedisAddress, type RedisAddress } from "@petak/redis";
import { type RedisServer, RedisServerError, startRedisServer } from "@petak/redis/server";
import { CliFailure } from "../failure.ts";
import { serveSandbox } from "../sandbox/serve-sandbox.ts";
import { type AdminKey, loadAdminKey } from "./admin-key.ts";
import { gatewayUrl } from "./gateway-url.ts";
import { createPrivateRedisLog } from "./private-redis-log.ts";

/** A gateway in this process, with everything that was started for it. */
export interface ServedGateway {
  gateway: Gateway;
  admin: AdminKey;
  /** Its address for clients on the same machine. */
  url: string;
  /** The address of its management listener, below which `/metrics` is. */
  managementUrl: string;
  /** Its certificate in PEM, for clients on the same machine; undefined without TLS. */
  certificate: string | undefined;
  /** The private server; undefined if the configuration names another. */
  redis: RedisServer | undefined;
  /**
   * Resolves with a failure to throw when there is nothing to go on with: the private server has ended by itself, or the gateway must not use the
   * data any more. Else it stays pending.
   */
  ended: Promise<CliFailure>;
  /** Stops everything, the gateway first. */
  stop(): Promise<void>;
}

/** What a program that starts a gateway says of it, which no setting can. */
export type ServedOptions = Pick<GatewayOptions, "openDirectoryNetwork" | "neighbours" | "readinessChecks">;

/**
 * Starts a gateway by its configuration, with a private Redis if that names none.
 *
 * @throws {CliFailure} if it cannot start; the message gives the reason and the remedy.
 */
export async function serveGateway(config: Config, cwd: string, logger: Logger, options: ServedOptions = {}): Promise<ServedGateway> {
  prepareServingProcess();
  const dataDir = resolve(cwd, config.dataDir);
  let redis: RedisServer | undefined;
  const adminKeyPath = config.adminKeyFile === "" ? join(dataDir, "keys", "admin.json") : resolve(cwd, config.adminKeyFile);
  try {
    const sandbox = config.sandbox ? await serveSandbox(dataDir) : undefined;
    let admin: AdminKey | undefined;
    const tls = tlsFilesOf(config, cwd);
    const certificate = tls && (await readFile(tls.cert, "utf8"));
    let isStopping = false;
    const redisLog = createPrivateRedisLog(logger);
    const onLog = (line: string) => redisLog.take(line, isStopping);
    if (config.redisUrl === "") {
      redis = await startRedisServer({ dataDir: join(dataDir, "redis"), appendfsync: privateFsync(config), onLog });
    }
    const archiveDirectory = archiveDirectoryOf(config, cwd, dataDir);
    if (archiveDirectory === undefined) logger.info("nothing is archived, since archiveDir is not set");
    const gateway = await startGateway({
      ...config,
      ...options,
      management: managementAddress(config),
      ...(sandbox && { sandboxHost: sandbox.current, openDirectoryHides: sandbox.isOperator }),
      durability: durabilityOf(config),
      redis: redis === undefined ? redisAddress(config.redisUrl) : { socketPath: redis.socketPath },
      dataDir,
      storeFill: {
        maxBytes: config.storeMaxBytes > 0 || redis === undefined ? config.storeMaxBytes : privateMaxBytes(),
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
      ...(archiveDirectory === undefined
        ? {}
        : { archive: { directory: archiveDirectory, retentionMs: config.retentionMs, intervalMs: config.archiveIntervalMs } }),
      admin: async (audience) => {
        admin = await loadAdminKey(adminKeyPath, audience);
        return admin.identity;
      },
      logger,
      metrics: createMetrics(),
    });
    const management = gateway.managementAddress;
    const ended = Promise.withResolvers<CliFailure>();
    void redis?.exited.then((exit) => {
      if (!isStopping) ended.resolve(new CliFailure(redisLog.ended(exit), { reason: "redis-ended" }));
    });
    void gateway.refusal.then(({ message }) => ended.resolve(new CliFailure(message, { reason: "data-version" })));
    if (management === undefined) throw new Error("the gateway has no management listener");
    if (admin === undefined) throw new Error("the gateway did not ask for its administrator");
    const url = gatewayUrl(tls === undefined ? "http" : "https", config.host, gateway.address.port);
    sandbox?.begin({ gatewayUrl: url, certificate: tls?.cert, adminKey: admin.keyFile, logger });
    return {
      gateway,
      admin,
      url,
      managementUrl: gatewayUrl("http", management.host, management.port),
      certificate,
      redis,
      ended: ended.promise,
      async stop() {
        isStopping = true;
        try {
          // First, so that its terminals can still report.
          await sandbox?.stop();
          await gateway.stop();
        } finally {
          await redis?.stop();
        }
      },
    };
  } catch (error) {
    await redis?.stop();
    if (error instanceof AdminError) throw new CliFailure(`${adminKeyPath} cannot be used: ${error.message}`, { cause: error });
    throw explain(error);
  }
}

/**
 * Half of the memory of this machine or container, in bytes. A private server has no `maxmemory`: at that it would refuse revocations too, and its data may
 * have grown on a larger machine. The other half is for the gateway, and for the server's copies while it rewrites its log.
 */
function privateMaxBytes(): number {
  const limits = [totalmem(), process.constrainedMemory()].filter((bytes) => bytes > 0);
  return Math.floor(Math.min(...limits) / 2);
}

/** A private server has no replicas, so only its disk can be waited for. */
function privateFsync({ durability }: Config): "everysec" | "always" {
  if (durability === "replicated") {
    throw new CliFailure("durability replicated needs a server with replicas; name it with redisUrl, or take durability always.");
  }
  return durability;
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

/** Undefined by default with a configured Redis: it may be shared by other gateways, which could not read an archive on this machine. */
function archiveDirectoryOf({ archiveDir, redisUrl }: Config, cwd: string, dataDir: string): string | undefined {
  if (archiveDir !== "") return resolve(cwd, archiveDir);
  return redisUrl === "" ? join(dataDir, "archive") : undefined;
}

/** The address in a setting that was validated when it was loaded. */
function redisAddress(redisUrl: string): RedisAddress {
  return parseRedisAddress(redisUrl) as RedisAddress;
}

function explain(error: unknown): unknown {
  const isExplained = [ServerStartError, RedisServerError, DurabilityError, StoreStartError, DataVersionError].some(
    (kind) => error instanceof kind,
  );
  if (isExplained) return new CliFailure((error as Error).message, { cause: error });
  const { code, path } = error as NodeJS.ErrnoException;
  if (code === "ENOENT" && path !== undefined) return new CliFailure(`${path} does not exist.`, { cause: error });
  return error;
}
