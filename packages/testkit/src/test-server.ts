import { join } from "node:path";
import type { RedisAddress } from "@petak/redis";
import { type Appendfsync, findRedisServer, type RedisFlavour, type RedisServer, startRedisServer } from "@petak/redis/server";

import { freePort } from "./free-port.ts";
import { createTempDir } from "./temp-dir.ts";

export interface TestServerOptions {
  /** Default: Redis if installed, otherwise Valkey. */
  flavour?: RedisFlavour;
  /** Default `everysec`. Use `always` if a test simulates a power failure. */
  appendfsync?: Appendfsync;
  /** Search path of its program, in the format of `PATH`. Default: `PATH`. */
  searchPath?: string;
  /** Whether it can have replicas, which requires a TCP port. Default false. */
  hasReplicas?: boolean;
}

/** A real server with its own data directory. */
export interface TestServer extends AsyncDisposable {
  /** Its address. Unchanged by restarts. */
  readonly address: RedisAddress;
  /** Options for `new Redis()` of ioredis. Unchanged by restarts. */
  readonly options: { readonly path: string };
  /** The address as a URL, e.g. for `PETAK_REDIS_URL`: `unix:///…/server.sock`. */
  readonly url: string;
  readonly flavour: RedisFlavour;
  /** Its data directory, for tests that damage its append-only file. */
  readonly dataDir: string;
  /** Its TCP port on 127.0.0.1; undefined if it cannot have replicas. */
  readonly port: number | undefined;
  /** The present process. */
  readonly pid: number;
  /** Stops it gracefully and deletes its data. Idempotent. */
  stop(): Promise<void>;
  /** Kills it (SIGKILL), and resolves when it has exited. Its data stays. */
  kill9(): Promise<void>;
  /** Restarts it with its data; if it is running, stops it gracefully first. */
  restart(): Promise<void>;
}

/** Starts a server, in about 50 ms. {@link useRedis} shares one among the tests of a file. */
export async function startTestServer({ hasReplicas = false, ...options }: TestServerOptions = {}): Promise<TestServer> {
  const directory = await createTempDir();
  const port = hasReplicas ? await freePort() : undefined;
  const dataDir = join(directory.path, "data");
  const start = (): Promise<RedisServer> => startRedisServer({ ...options, dataDir, ...(port === undefined ? {} : { port }) });
  let server = await start().catch(async (error: unknown) => {
    await directory.remove();
    throw error;
  });
  const { socketPath, flavour } = server;
  const stop = async (): Promise<void> => {
    await server.stop();
    await directory.remove();
  };
  return {
    address: { socketPath },
    options: { path: socketPath },
    url: `unix://${socketPath}`,
    flavour,
    dataDir,
    port,
    get pid() {
      return server.pid;
    },
    stop,
    kill9: async () => {
      process.kill(server.pid, "SIGKILL");
      await server.exited;
    },
    restart: async () => {
      await server.stop();
      server = await start();
    },
    [Symbol.asyncDispose]: stop,
  };
}

/** The installed flavours, for `describe.each(await installedFlavours())`. Never empty. */
export async function installedFlavours(): Promise<RedisFlavour[]> {
  const { flavour: first } = await findRedisServer();
  const other: RedisFlavour = first === "redis" ? "valkey" : "redis";
  const hasOther = await findRedisServer({ flavour: other }).then(
    () => true,
    () => false,
  );
  return hasOther ? [first, other] : [first];
}
