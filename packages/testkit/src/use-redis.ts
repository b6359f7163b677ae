import { randomBytes } from "node:crypto";
import { type ConnectionOptions, connectRedis, isCluster, type RedisAddress, type RedisConnection } from "@petak/redis";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, inject } from "vitest";
import { startTestServer, type TestServer, type TestServerOptions } from "./test-server.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Default flavour of the servers in a project's tests. Default: Redis if installed, otherwise Valkey. */
    redisFlavour?: TestServerOptions["flavour"];
    /** A running cluster that a project's tests use instead of a server. */
    redisCluster?: RedisAddress;
  }
}

/** A server shared by the tests of a file, with a key prefix for each test. */
export interface TestRedis {
  /** Its address. Available only within a test or hook. */
  readonly address: RedisAddress;
  /** Opens a connection like a gateway's. The test closes it. */
  connect(options?: Partial<ConnectionOptions>): Promise<RedisConnection>;
  /** Makes a connection without opening it. */
  connectLater(options?: Partial<ConnectionOptions>): RedisConnection;
  /** Whether it is a cluster, depending on the test project. */
  readonly isCluster: boolean;
  /** Options for `new Redis()` of ioredis. Not for a cluster. */
  readonly options: { readonly path: string };
  /** The address as a URL: `unix:///…/server.sock`. Not for a cluster. */
  readonly url: string;
  /** Key prefix of the running test, e.g. `t7c0ffee1:`. Its keys are deleted after the test. */
  readonly keyPrefix: string;
  /**
   * A connection for inspecting the store, without a prefix. Closed with the server. For a cluster it is not a `Redis` but has the same commands.
   */
  readonly client: Redis;
}

interface SharedServer {
  users: number;
  server: Promise<TestServer>;
}

/** One server for each set of options, per process. */
const sharedServers = new Map<string, SharedServer>();

/**
 * Provides a real server to the tests of a file or a `describe`. Call it at the top of either. The server starts before the first test, is shared by all callers
 * with the same options in a process, and stops after the last test. Tests that kill or restart a server use {@link startTestServer}.
 *
 * A vitest project can set the default server (`provide`), so that the same tests run with another server or a cluster.
 */
export function useRedis(asked?: TestServerOptions): TestRedis {
  const cluster = asked === undefined ? inject("redisCluster") : undefined;
  const flavour = inject("redisFlavour");
  const options = asked ?? (flavour === undefined ? {} : { flavour });
  const kind = JSON.stringify([options.flavour, options.appendfsync]);
  let server: TestServer | undefined;
  let client: RedisConnection | undefined;
  let keyPrefix = newKeyPrefix();
  const address = (): RedisAddress => cluster ?? { socketPath: running(server).options.path };
  const connectLater = (settings: Partial<ConnectionOptions> = {}): RedisConnection =>
    connectRedis(address(), { onError: () => undefined, ...settings });
  const connect = async (settings: Partial<ConnectionOptions> = {}): Promise<RedisConnection> => {
    const connection = connectLater(settings);
    await connection.connect();
    return connection;
  };

  beforeAll(async () => {
    if (cluster !== undefined) {
      client = await connect();
      return;
    }
    let shared = sharedServers.get(kind);
    if (shared === undefined) {
      shared = { users: 0, server: startTestServer(options) };
      sharedServers.set(kind, shared);
    }
    shared.users++;
    server = await shared.server;
    client = new Redis(server.options);
  });
  beforeEach(() => {
    keyPrefix = newKeyPrefix();
  });
  afterEach(async () => {
    if (client !== undefined) await removeKeys(client, keyPrefix);
  });
  afterAll(async () => {
    client?.disconnect();
    if (server === undefined) return;
    const shared = sharedServers.get(kind);
    if (shared === undefined || --shared.users > 0) return;
    sharedServers.delete(kind);
    await (await shared.server).stop();
  });

  return {
    get address() {
      return address();
    },
    connect,
    connectLater,
    isCluster: cluster !== undefined,
    get options() {
      return running(server).options;
    },
    get url() {
      return running(server).url;
    },
    get keyPrefix() {
      return keyPrefix;
    },
    get client() {
      return running(client) as Redis;
    },
  };
}

function running<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("The server runs only during tests: access it within a test or a hook.");
  return value;
}

/** Contains only letters and digits, which have no special meaning in key patterns. */
function newKeyPrefix(): string {
  return `t${randomBytes(4).toString("hex")}:`;
}

async function removeKeys(client: RedisConnection, keyPrefix: string): Promise<void> {
  for (const server of isCluster(client) ? client.nodes("master") : [client]) {
    for await (const keys of server.scanStream({ match: `${keyPrefix}*`, count: 1_000 })) {
      // One at a time: in a cluster a command is limited to one slot.
      await Promise.all((keys as string[]).map((key) => server.unlink(key)));
    }
  }
}
