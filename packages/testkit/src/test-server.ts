import { join } from "node:path";
import type { RedisAddress } from "@petak/redis";
import { type Appendfsync, findRedisServer, type RedisFlavour, type RedisServer, startRedisServer } from "@petak/redis/server";

import { freePort } from "./free-port.ts";
import { createTempDir } from "./temp-dir.ts";

/** What kind of server a test wants. */
export interface TestServerOptions {
  /** Default: whichever is installed, Redis first. */
  flavour?: RedisFlavour;
  /** Default `everysec`. Take `always` where a test kills the machine rather than the process. */
  appendfsync?: Appendfsync;
  /** Where to look for its program, written as in `PATH`. Default: `PATH`. */
  searchPath?: string;
  /** Whether replicas can follow it: it has a TCP port then. Default false. */
  hasReplicas?: boolean;
}

/** A real server with a data directory of its own. */
export interface TestServer extends AsyncDisposable {
  /** For whoever takes the address of a store. Stays the same over restarts. */
  readonly address: RedisAddress;
  /** For `new Redis(server.options)` of ioredis. Stays the same over restarts. */
  readonly options: { readonly path: string };
  /** The same as an address, for settings such as `PETAK_REDIS_URL`: `unix:///…/server.sock`. */
  readonly url: string;
  readonly flavour: RedisFlavour;
  /** Where its log is, for tests that spoil it. */
  readonly dataDir: string;
  /** Its TCP port on 127.0.0.1; undefined where no replicas can follow it. */
  readonly port: number | undefined;
  /** The process that runs now. */
  readonly pid: number;
  /** Ends it in good order and removes its data. May be called any number of times. */
  stop(): Promise<void>;
  /** Kills it outright, as a crash would, and resolves when it has gone. Its data stays. */
  kill9(): Promise<void>;
  /** Starts it again over the data it left; ends it in good order first if it runs. */
  restart(): Promise<void>;
}

/** Starts a server. It takes some 50 ms; {@link useRedis} shares one among the tests of a file. */
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

/** The servers that are installed here, for `describe.each(await installedFlavours())`. Never empty: one is needed to run the tests at all. */
export async function installedFlavours(): Promise<RedisFlavour[]> {
  const { flavour: first } = await findRedisServer();
  const other: RedisFlavour = first === "redis" ? "valkey" : "redis";
  const hasOther = await findRedisServer({ flavour: other }).then(
    () => true,
    () => false,
  );
  return hasOther ? [first, other] : [first];
}
