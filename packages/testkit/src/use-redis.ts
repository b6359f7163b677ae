import { randomBytes } from "node:crypto";
import { type ConnectionOptions, connectRedis, isCluster, type RedisAddress, type RedisConnection } from "@petak/redis";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, inject } from "vitest";
import { startTestServer, type TestServer, type TestServerOptions } from "./test-server.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Which server the tests of a project have that ask for no kind. Default: whichever is installed, Redis first. */
    redisFlavour?: TestServerOptions["flavour"];
    /** The cluster that the tests of a project have instead. It runs already. */
    redisCluster?: RedisAddress;
  }
}

/** A server that the tests of a file share, and a part of it that is the running test's alone. */
export interface TestRedis {
  /** Where it is. To be read within a test or hook, when the server runs. */
  readonly address: RedisAddress;
  /** Opens a connection as a gateway has one. The test closes it. */
  connect(options?: Partial<ConnectionOptions>): Promise<RedisConnection>;
  /** Makes a connection that is not open yet. */
  connectLater(options?: Partial<ConnectionOptions>): RedisConnection;
  /** Whether it is a cluster, which the project of the tests decides. */
  readonly isCluster: boolean;
  /** For `new Redis({ ...redis.options })` of ioredis. Not over a cluster. */
  readonly options: { readonly path: string };
  /** The same as an address: `unix:///…/server.sock`. Not over a cluster. */
  readonly url: string;
  /** What the keys of this test begin with, e.g. `t7c0ffee1:`. Another one in each test; what stands under it goes when the test ends. */
  readonly keyPrefix: string;
  /**
   * A connection for looking at what the code under test has done. It adds no prefix. Closed with the server. Over a cluster it has the same
   * commands and is no `Redis` otherwise.
   */
  readonly client: Redis;
}

interface SharedServer {
  users: number;
  server: Promise<TestServer>;
}

/** One for each kind that is asked for, per process. */
const sharedServers = new Map<string, SharedServer>();

/**
 * Gives the tests of a file, or of a `describe`, a real server. Call it at the top of either. The server starts before the first test, is the same for
 * all who ask for the same kind in one process, and stops after the last test. Tests that kill or restart a server need one of their own:
 * {@link startTestServer}.
 *
 * A project of vitest may say what kind those get who ask for none (`provide`), so that the same tests run over another server or a cluster.
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
  if (value === undefined) throw new Error("The server runs only during tests: read this within a test or a hook.");
  return value;
}

/** Only letters and digits, so that it means itself in a pattern, whatever braces the keys put around their region. */
function newKeyPrefix(): string {
  return `t${randomBytes(4).toString("hex")}:`;
}

async function removeKeys(client: RedisConnection, keyPrefix: string): Promise<void> {
  for (const server of isCluster(client) ? client.nodes("master") : [client]) {
    for await (const keys of server.scanStream({ match: `${keyPrefix}*`, count: 1_000 })) {
      // One by one: on a cluster a command touches one slot.
      await Promise.all((keys as string[]).map((key) => server.unlink(key)));
    }
  }
}
