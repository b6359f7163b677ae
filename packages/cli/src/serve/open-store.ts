import { totalmem } from "node:os";
import { join, resolve } from "node:path";
import type { Config, Logger } from "@petak/gateway";
import { type RedisServer, RedisServerError, startRedisServer } from "@petak/redis/server";
import { CliFailure } from "../failure.ts";
import { createPrivateRedisLog } from "./private-redis-log.ts";

/** The store of a gateway. */
export interface OpenStore {
  /** The configuration with what follows from where the records are kept: `redisUrl`, `storeMaxBytes` and `archiveDir`. */
  config: Config;
  /** The private server; undefined if the configuration names another. */
  redis: RedisServer | undefined;
  /** Resolves with a failure to throw when the private server has ended by itself. Else it stays pending. */
  ended: Promise<CliFailure>;
  /** From now on the private server may end. */
  isStopping(): void;
  /** Stops the private server. */
  stop(): Promise<void>;
}

/**
 * Starts a private Redis if the configuration names none.
 *
 * @throws {CliFailure} if it cannot start
 */
export async function openStore(config: Config, cwd: string, logger: Logger): Promise<OpenStore> {
  const dataDir = resolve(cwd, config.dataDir);
  // A configured Redis may be shared by other gateways, which could not read an archive on this machine.
  if (config.redisUrl === "" && config.archiveDir === "") config = { ...config, archiveDir: join(dataDir, "archive") };
  if (config.archiveDir === "") logger.info("nothing is archived, since archiveDir is not set");
  const ended = Promise.withResolvers<CliFailure>();
  if (config.redisUrl !== "") {
    return { config, redis: undefined, ended: ended.promise, isStopping() {}, stop: async () => {} };
  }
  const redisLog = createPrivateRedisLog(logger);
  let isStopping = false;
  const onLog = (line: string) => redisLog.take(line, isStopping);
  const redis = await startPrivate(config, join(dataDir, "redis"), onLog);
  void redis.exited.then((exit) => {
    if (!isStopping) ended.resolve(new CliFailure(redisLog.ended(exit), { reason: "redis-ended" }));
  });
  return {
    config: {
      ...config,
      redisUrl: unixUrl(redis.socketPath),
      storeMaxBytes: config.storeMaxBytes > 0 ? config.storeMaxBytes : privateMaxBytes(),
    },
    redis,
    ended: ended.promise,
    isStopping() {
      isStopping = true;
    },
    async stop() {
      isStopping = true;
      await redis.stop();
    },
  };
}

/** The URL of a socket, whose path may have characters that mean something in URLs. */
function unixUrl(socketPath: string): string {
  return `unix://${socketPath.split("/").map(encodeURIComponent).join("/")}`;
}

async function startPrivate(config: Config, dataDir: string, onLog: (line: string) => void): Promise<RedisServer> {
  try {
    return await startRedisServer({ dataDir, appendfsync: privateFsync(config), onLog });
  } catch (error) {
    throw error instanceof RedisServerError ? new CliFailure(error.message, { cause: error }) : error;
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
