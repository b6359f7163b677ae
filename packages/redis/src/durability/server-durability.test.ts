import { startTestReplica, startTestServer, type TestServer } from "@petak/testkit";
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, it } from "vitest";
import { connectRedis, type RedisConnection } from "../connection/connect-redis.ts";
import { inspectDurability } from "./server-durability.ts";

let server: TestServer;
let connection: RedisConnection;
let operator: Redis;

beforeAll(async () => {
  server = await startTestServer({ hasReplicas: true });
  connection = connectRedis({ socketPath: server.options.path }, { onError: () => undefined });
  await connection.connect();
  operator = new Redis(server.options);
});
afterAll(async () => {
  connection.disconnect();
  operator.disconnect();
  // The server is still rewriting the append-only file that a test had switched off, and an orderly shutdown would wait for it.
  await server.kill9();
  await server.stop();
});

async function withConfig<Result>(name: string, value: string, work: () => Promise<Result>): Promise<Result> {
  const [, before = ""] = (await operator.config("GET", name)) as string[];
  await operator.config("SET", name, value);
  try {
    return await work();
  } finally {
    await operator.config("SET", name, before);
  }
}

it("a server with the required settings has no contradictions", async () => {
  for (const level of ["everysec", "replicated"] as const) {
    expect(await inspectDurability(connection, level)).toEqual({ contradictions: [], unknown: [] });
  }
  await withConfig("appendfsync", "always", async () => {
    expect(await inspectDurability(connection, "always")).toEqual({ contradictions: [], unknown: [] });
  });
});

it.each([
  ["everysec", "appendonly", "no"],
  ["everysec", "appendfsync", "no"],
  ["everysec", "maxmemory-policy", "allkeys-lru"],
  ["always", "appendfsync", "everysec"],
  ["everysec", "no-appendfsync-on-rewrite", "yes"],
  ["replicated", "appendfsync", "no"],
] as const)("%s is contradicted by %s %s, and the finding names the setting", async (level, name, value) => {
  const { contradictions } = await withConfig(name, value, () => inspectDurability(connection, level));
  expect(contradictions).toEqual([expect.stringContaining(`${name} ${value}`)]);
});

it("a replica is reported as a contradiction", async () => {
  const replica = await startTestReplica(server);
  const itsConnection = connectRedis({ socketPath: replica.options.path }, { onError: () => undefined });
  await itsConnection.connect();
  const { contradictions } = await inspectDurability(itsConnection, "everysec");
  expect(contradictions).toEqual([expect.stringContaining("role:slave")]);
  itsConnection.disconnect();
  await replica.stop();
});

it("a user default that is off needs its rights for the log all the same", async () => {
  await operator.acl("SETUSER", "gateway", "on", ">secret", "~*", "+@all");
  const gateway = connectRedis({ url: `redis://gateway:secret@127.0.0.1:${server.port}` }, { onError: () => undefined });
  await gateway.connect();
  await operator.acl("SETUSER", "default", "off");
  expect(await inspectDurability(gateway, "everysec")).toEqual({ contradictions: [], unknown: [] });
  await operator.acl("SETUSER", "default", "-@write");
  const { contradictions } = await inspectDurability(gateway, "everysec");
  expect(contradictions).toEqual([expect.stringContaining("ACL SETUSER default off resetpass ~* &* +@all")]);
  await operator.acl("SETUSER", "gateway", "-acl");
  expect(await inspectDurability(gateway, "everysec")).toEqual({ contradictions: [], unknown: [expect.stringContaining("ACL DRYRUN")] });
  await operator.acl("SETUSER", "default", "on", "+@all");
  gateway.disconnect();
});

it("a server that forbids CONFIG still discloses its persistence and eviction, and the rest is unknown", async () => {
  await operator.acl("SETUSER", "hosted", "on", ">secret", "~*", "+@all", "-config");
  const hosted = connectRedis({ url: `redis://hosted:secret@127.0.0.1:${server.port}` }, { onError: () => undefined });
  await hosted.connect();
  expect(await inspectDurability(hosted, "always")).toEqual({ contradictions: [], unknown: [expect.stringContaining("appendfsync")] });
  await withConfig("appendonly", "no", async () => {
    const { contradictions } = await inspectDurability(hosted, "always");
    expect(contradictions).toEqual([expect.stringContaining("appendonly no")]);
  });
  hosted.disconnect();
});
