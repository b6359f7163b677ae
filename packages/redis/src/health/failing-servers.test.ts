import {
  fillDisk,
  freeDisk,
  searchPathForFullDisk,
  startTestCluster,
  startTestServer,
  type TestCluster,
  type TestServer,
  tempDir,
} from "@petak/testkit";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { connectRedis, type RedisConnection } from "../connection/connect-redis.ts";
import { createKeys } from "../keys.ts";
import { refusingServers, silentServers } from "./failing-servers.ts";

const keys = createKeys("petak");
const soon = { interval: 50 };

let connection: RedisConnection;

async function open(address: Parameters<typeof connectRedis>[0]): Promise<void> {
  connection = connectRedis(address, { onError: () => undefined, commandTimeoutMs: 300 });
  await connection.connect();
}

afterEach(() => connection.disconnect());

describe("one server", () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await startTestServer({ searchPath: await searchPathForFullDisk(await tempDir()) });
    await open({ socketPath: server.options.path });
  });
  afterEach(() => server.stop());

  it("that works is not named", async () => {
    expect(await silentServers(connection)).toEqual([]);
    expect(await refusingServers(connection, keys)).toEqual([]);
  });

  it("that hangs is named, with its time-out", async () => {
    process.kill(server.pid, "SIGSTOP");
    const silent = await silentServers(connection);
    process.kill(server.pid, "SIGCONT");
    expect(silent).toEqual([{ server: server.options.path, error: expect.objectContaining({ message: "Command timed out" }) }]);
  });

  it("that is gone is named until it is back", async () => {
    await server.kill9();
    await expect.poll(() => silentServers(connection), soon).toEqual([{ server: server.options.path, error: expect.any(Error) }]);
    await server.restart();
    await expect.poll(() => silentServers(connection), soon).toEqual([]);
  });

  it("whose disk is full answers and refuses, until there is room", async () => {
    await fillDisk(server, 0);
    const misconf = { server: server.options.path, error: expect.objectContaining({ message: expect.stringMatching(/^MISCONF /) }) };
    await expect.poll(() => refusingServers(connection, keys), soon).toEqual([misconf]);
    expect(await silentServers(connection)).toEqual([]);
    await freeDisk(server);
    await expect.poll(() => refusingServers(connection, keys), soon).toEqual([]);
  });

  it("whose memory is full answers and refuses", async () => {
    await connection.config("SET", "maxmemory", "1");
    const oom = { server: server.options.path, error: expect.objectContaining({ message: expect.stringMatching(/^OOM /) }) };
    expect(await refusingServers(connection, keys)).toEqual([oom]);
    expect(await silentServers(connection)).toEqual([]);
  });
});

describe("a cluster's servers", () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startTestCluster();
  });
  afterAll(() => cluster.stop());
  beforeEach(() => open(cluster.address));

  const named = (failing: { server: string }[]) => failing.map(({ server }) => server).sort();

  it("are each asked, and not named where they work", async () => {
    expect(await silentServers(connection)).toEqual([]);
    expect(await refusingServers(connection, keys)).toEqual([]);
  });

  it("are named when they are gone, and not those that take no commands without them", async () => {
    const [lost, left] = cluster.nodes;
    await lost?.kill9();
    const own = new Redis({ port: left?.port ?? 0 });
    // By its default a cluster takes no calls while slots are missing.
    await expect.poll(async () => await own.cluster("INFO"), soon).toContain("cluster_state:fail");
    own.disconnect();
    await expect.poll(async () => named(await silentServers(connection)), soon).toEqual([`127.0.0.1:${lost?.port}`]);
    await lost?.restart();
    await expect.poll(() => silentServers(connection), soon).toEqual([]);
  });

  it("are named when all are gone", async () => {
    await Promise.all(cluster.nodes.map((node) => node.kill9()));
    await expect.poll(async () => (await silentServers(connection)).length, soon).toBe(3);
    await Promise.all(cluster.nodes.map((node) => node.restart()));
    await expect.poll(() => silentServers(connection), soon).toEqual([]);
  });

  it("are named where they refuse changes, and no others", async () => {
    const full = connectRedis({ url: `redis://127.0.0.1:${cluster.nodes[1]?.port}` }, { onError: () => undefined });
    await full.connect();
    await full.config("SET", "maxmemory", "1");
    expect(named(await refusingServers(connection, keys))).toEqual([`127.0.0.1:${cluster.nodes[1]?.port}`]);
    await full.config("SET", "maxmemory", "0");
    full.disconnect();
  });
});
