import { randomBytes } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { startTestServer, type TestServer, type TestServerOptions } from "./test-server.ts";

/** A server that the tests of a file share, and a part of it that is the running test's alone. */
export interface TestRedis {
  /** For `new Redis({ ...redis.options })` of ioredis. To be read within a test or hook, when the server runs. */
  readonly options: { readonly path: string };
  /** The same as an address: `unix:///…/server.sock`. */
  readonly url: string;
  /** What the keys of this test begin with, e.g. `t7c0ffee1:`. Another one in each test; what stands under it goes when the test ends. */
  readonly keyPrefix: string;
  /** A connection for looking at what the code under test has done. It adds no prefix. Closed with the server. */
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
 */
export function useRedis(options: TestServerOptions = {}): TestRedis {
  const kind = JSON.stringify([options.flavour, options.appendfsync]);
  let server: TestServer | undefined;
  let client: Redis | undefined;
  let keyPrefix = newKeyPrefix();

  beforeAll(async () => {
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
    const shared = sharedServers.get(kind);
    if (shared === undefined || --shared.users > 0) return;
    sharedServers.delete(kind);
    await (await shared.server).stop();
  });

  return {
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
      return running(client);
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

async function removeKeys(client: Redis, keyPrefix: string): Promise<void> {
  for await (const keys of client.scanStream({ match: `${keyPrefix}*`, count: 1_000 })) {
    const found = keys as string[];
    if (found.length > 0) await client.unlink(...found);
  }
}
