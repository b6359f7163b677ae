import { once } from "node:events";
import { PetakError } from "@petak/protocol";
import { connectRedis } from "@petak/redis";
import { fillDisk, installedFlavours, searchPathForFullDisk, startTestServer, type TestServer, tempDir } from "@petak/testkit";
import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createStoreFailureStep } from "./store-failure-step.ts";

type Provoke = (commands: { redis: Redis; tool: Redis; server: TestServer }) => Promise<unknown>;

const soon = { interval: 20 };
const endless = "while true do end";
const write = (redis: Redis) => redis.set("key", "1");

/** What a server or the client says when the store does not do the work, and how it comes to that. */
const failures: readonly (readonly [pattern: RegExp, provoke: Provoke])[] = [
  [/^OOM /, async ({ redis, tool }) => [await tool.config("SET", "maxmemory", "1"), await write(redis)]],
  [
    /^MISCONF /,
    async () => {
      await using server = await startTestServer({ searchPath: await searchPathForFullDisk(await tempDir()) });
      const redis = await connected(server);
      await fillDisk(server, 0);
      await untilRejected(() => write(redis)).finally(() => redis.disconnect());
    },
  ],
  [/^READONLY /, async ({ redis, tool }) => [await tool.replicaof("127.0.0.1", 1), await write(redis)]],
  [
    /^MASTERDOWN /,
    async ({ redis, tool }) => [
      await tool.config("SET", "replica-serve-stale-data", "no"),
      await tool.replicaof("127.0.0.1", 1),
      await redis.get("key"),
    ],
  ],
  [/^NOREPLICAS /, async ({ redis, tool }) => [await tool.config("SET", "min-replicas-to-write", "1"), await write(redis)]],
  [/^NOPERM /, async ({ redis, tool }) => [await tool.acl("SETUSER", "default", "-set"), await write(redis)]],
  [
    /^BUSY /,
    async ({ redis, tool }) => {
      await tool.config("SET", "busy-reply-threshold", "10");
      tool.eval(endless, 0).catch(() => undefined);
      return await untilRejected(() => write(redis));
    },
  ],
  [
    /Script killed by user/,
    async ({ redis, tool }) => {
      await tool.config("SET", "busy-reply-threshold", "10");
      const running = redis.eval(endless, 0);
      await Promise.all([running, expect.poll(() => tool.script("KILL").catch(() => undefined), soon).toBe("OK")]);
    },
  ],
  [
    /^UNBLOCKED /,
    async ({ redis, tool }) => {
      const id = await redis.client("ID");
      await Promise.all([redis.blpop("list", 0), expect.poll(() => tool.client("UNBLOCK", id, "ERROR"), soon).toBe(1)]);
    },
  ],
  [
    // The latter two if the connection is used before the server's line is read.
    /^(ERR max number of clients|write EPIPE|read ECONNRESET)/,
    async ({ tool, server }) => {
      await tool.config("SET", "maxclients", "1");
      const refused = Promise.withResolvers<never>();
      const another = connectRedis({ socketPath: server.options.path }, { onError: refused.reject });
      another.connect().catch(() => undefined);
      await refused.promise.finally(() => another.disconnect());
    },
  ],
  [/^Command timed out/, async ({ redis, server }) => [process.kill(server.pid, "SIGSTOP"), await write(redis)]],
  [
    /^Reached the max retries per request limit/,
    async ({ redis, server }) => {
      process.kill(server.pid, "SIGSTOP");
      await Promise.all([write(redis), server.kill9()]);
    },
  ],
  [/^Stream isn't writeable/, async ({ redis, server }) => [await Promise.all([once(redis, "close"), server.kill9()]), await write(redis)]],
  [/^Connection is closed/, async ({ redis }) => [redis.disconnect(), await once(redis, "end"), await write(redis)]],
];

async function connected(server: TestServer): Promise<Redis> {
  const redis = connectRedis({ socketPath: server.options.path }, { onError: () => undefined });
  await redis.connect();
  return redis;
}

/** Repeats work until it fails. */
async function untilRejected(work: () => Promise<unknown>): Promise<void> {
  for (;;) await work();
}

describe.each(await installedFlavours())("what %s and its client say", (flavour) => {
  let server: TestServer;
  let redis: Redis;
  let tool: Redis;

  beforeEach(async () => {
    server = await startTestServer({ flavour });
    redis = await connected(server);
    tool = new Redis(server.options);
    tool.on("error", () => undefined);
  });
  afterEach(async () => {
    redis.disconnect();
    tool.disconnect();
    // A stopped or busy one does not end by itself, and one that was killed has no process.
    await server.kill9().catch(() => undefined);
    await server.stop();
  });

  it.each(failures)("%s is no defect of the gateway, bare or as the cause of another error", async (pattern, provoke) => {
    const error = await provoke({ redis, tool, server }).catch((thrown: unknown) => thrown as Error);
    expect(error).toMatchObject({ message: expect.stringMatching(pattern) as unknown });
    const seen: unknown[] = [];
    const step = createStoreFailureStep(
      (failure) => seen.push(failure),
      () => new PetakError("STORE_FULL", "full"),
    );
    const reason = pattern.test("OOM ") ? "STORE_FULL" : "STORE_UNAVAILABLE";
    expect(step.translate?.(error)).toMatchObject({ reason });
    expect(step.translate?.(new Error("a caller's words", { cause: error }))).toMatchObject({ reason });
    const own = new PetakError("ILLEGAL_STATE", "own words", { cause: error });
    expect(step.translate?.(own)).toBe(own);
    expect(seen).toEqual([error, error, error]);
  });

  it("is one where a command is wrong", async () => {
    const error = await redis.call("GET").catch((thrown: unknown) => thrown);
    expect(
      createStoreFailureStep(
        () => expect.fail(),
        () => expect.fail(),
      ).translate?.(error),
    ).toBe(error);
  });
});
