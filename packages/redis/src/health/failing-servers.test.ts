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
import { serversRejectingWrites, unresponsiveServers } from "./failing-servers.ts";
import { memoryOfServers } from "./server-memory.ts";

const keys = createKeys("petak");
const soon = { interval: 50 };

let connection: RedisConnection;

async function open(address: Parameters<typeof connectRedis>[0], commandTimeoutMs = 5000): Promise<void> {
  connection = connectRedis(address, { onError: () => undefined, commandTimeoutMs });
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

  it("that works is not listed", async () => {
    expect(await unresponsiveServers(connection)).toEqual([]);
    expect(await serversRejectingWrites(connection, keys)).toEqual([]);
  });

  it("that is unresponsive is listed with its timeout", async () => {
    connection.disconnect();
    await open({ socketPath: server.options.path }, 300);
    process.kill(server.pid, "SIGSTOP");
    const silent = await unresponsiveServers(connection);
    process.kill(server.pid, "SIGCONT");
    expect(silent).toEqual([{ server: server.options.path, error: expect.objectContaining({ message: "Command timed out" }) }]);
  });

  it("that has crashed is listed until it is back", async () => {
    await server.kill9();
    await expect.poll(() => unresponsiveServers(connection), soon).toEqual([{ server: server.options.path, error: expect.any(Error) }]);
    await server.restart();
    await expect.poll(() => unresponsiveServers(connection), soon).toEqual([]);
  });

  it("whose disk is full answers and rejects writes until there is room", async () => {
    await fillDisk(server, 0);
    const misconf = { server: server.options.path, error: expect.objectContaining({ message: expect.stringMatching(/^MISCONF /) }) };
    await expect.poll(() => serversRejectingWrites(connection, keys), soon).toEqual([misconf]);
    expect(await unresponsiveServers(connection)).toEqual([]);
    await freeDisk(server);
    await expect.poll(() => serversRejectingWrites(connection, keys), soon).toEqual([]);
  });

  it("whose memory is full answers and rejects writes", async () => {
    await connection.config("SET", "maxmemory", "1");
    const oom = { server: server.options.path, error: expect.objectContaining({ message: expect.stringMatching(/^OOM /) }) };
    expect(await serversRejectingWrites(connection, keys)).toEqual([oom]);
    expect(await unresponsiveServers(connection)).toEqual([]);
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

  it("are not listed while they work", async () => {
    expect(await unresponsiveServers(connection)).toEqual([]);
    expect(await serversRejectingWrites(connection, keys)).toEqual([]);
  });

  it("are listed when they have crashed, without the servers that reject commands because of them", async () => {
    const [lost, left] = cluster.nodes;
    await lost?.kill9();
    const own = new Redis({ port: left?.port ?? 0 });
    // By default a cluster serves no commands while slots are missing.
    await expect.poll(async () => await own.cluster("INFO"), soon).toContain("cluster_state:fail");
    own.disconnect();
    await expect.poll(async () => named(await unresponsiveServers(connection)), soon).toEqual([`127.0.0.1:${lost?.port}`]);
    await lost?.restart();
    await expect.poll(() => unresponsiveServers(connection), soon).toEqual([]);
  });

  it("are all listed when all have crashed", async () => {
    await Promise.all(cluster.nodes.map((node) => node.kill9()));
    await expect.poll(async () => (await unresponsiveServers(connection)).length, soon).toBe(3);
    await Promise.all(cluster.nodes.map((node) => node.restart()));
    await expect.poll(() => unresponsiveServers(connection), soon).toEqual([]);
  });

  it("tell what they use of their memory, and the limits of those that have one", async () => {
    const limited = connectRedis({ url: `redis://127.0.0.1:${cluster.nodes[1]?.port}` }, { onError: () => undefined });
    await limited.connect();
    await limited.config("SET", "maxmemory", "500mb");
    const memory = await memoryOfServers(connection);
    const limits = Object.fromEntries(memory.map(({ server, maxBytes }) => [server, maxBytes]));
    expect(limits).toEqual(
      Object.fromEntries(cluster.nodes.map(({ port }, index) => [`127.0.0.1:${port}`, index === 1 ? 500 * 2 ** 20 : 0])),
    );
    expect(memory.every(({ usedBytes }) => usedBytes > 100_000 && usedBytes < 500 * 2 ** 20)).toBe(true);
    await limited.config("SET", "maxmemory", "0");
    limited.disconnect();
  });

  it("are listed if they reject writes, and no others", async () => {
    const full = connectRedis({ url: `redis://127.0.0.1:${cluster.nodes[1]?.port}` }, { onError: () => undefined });
    await full.connect();
    await full.config("SET", "maxmemory", "1");
    expect(named(await serversRejectingWrites(connection, keys))).toEqual([`127.0.0.1:${cluster.nodes[1]?.port}`]);
    await full.config("SET", "maxmemory", "0");
    full.disconnect();
  });
});
