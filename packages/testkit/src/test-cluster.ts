import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { RedisAddress } from "@petak/redis";
import { type RedisFlavour, type RedisServer, startRedisServer } from "@petak/redis/server";

import { Redis } from "ioredis";
import { freePort } from "./free-port.ts";
import { createTempDir } from "./temp-dir.ts";

/** A server of a test cluster. */
export interface TestClusterNode {
  readonly port: number;
  /** The present process. */
  readonly pid: number;
  /** Kills it (SIGKILL), and resolves when it has exited. Its data stays. */
  kill9(): Promise<void>;
  /** Restarts it with its data. It serves its slots again after some seconds. */
  restart(): Promise<void>;
}

export interface TestClusterOptions {
  /** Default: Redis if installed, otherwise Valkey. */
  flavour?: RedisFlavour;
  /** Whether each master has a replica for failover. Default false. */
  hasReplicas?: boolean;
}

/** A real cluster of three masters on ports of 127.0.0.1, with its own data directory. */
export interface TestCluster extends AsyncDisposable {
  readonly address: RedisAddress;
  /** The address as a URL, e.g. for `PETAK_REDIS_URL`: `redis+cluster://127.0.0.1:…,127.0.0.1:…`. */
  readonly url: string;
  readonly flavour: RedisFlavour;
  /** The three original masters, followed by their replicas in the same order. */
  readonly nodes: readonly TestClusterNode[];
  /** The present master of a key's slot, according to the running servers; undefined while there is none. */
  masterOf(key: string): Promise<TestClusterNode | undefined>;
  /** Resolves when every master reports that all slots are served. */
  whole(): Promise<void>;
  /** Resolves when every replica is synchronised with its master. */
  followed(): Promise<void>;
  /** Migrates the slot of a key from one master to another, as when a master is added. */
  moveSlot(key: string, from: TestClusterNode, to: TestClusterNode): Promise<void>;
  /** Stops its servers gracefully and deletes their data. Idempotent. */
  stop(): Promise<void>;
}

const masters = 3;
const slots = 16_384;

/** Cluster node timeout, in ms. */
const nodeTimeoutMs = 1000;

/** Timeout for the cluster to form, in ms: a starting server waits two seconds before it serves slots. */
const wholeWithinMs = 60_000;
const pollMs = 20;

/** Starts a cluster, in about three seconds. Tests share one unless they kill its servers. */
export async function startTestCluster({ flavour, hasReplicas = false }: TestClusterOptions = {}): Promise<TestCluster> {
  const directory = await createTempDir();
  const nodes: StartedNode[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.server.stop()));
    await directory.remove();
  };
  try {
    const count = hasReplicas ? 2 * masters : masters;
    for (let index = 0; index < count; index++) nodes.push(await startNode(join(directory.path, String(index)), flavour));
    await introduce(nodes);
    await whole(nodes);
    if (hasReplicas) await makeReplicas(nodes);
  } catch (error) {
    await stop();
    throw error;
  }
  const hosts = nodes.map(({ port }) => ({ host: "127.0.0.1", port }));
  return {
    address: { cluster: hosts },
    url: `redis+cluster://${hosts.map(({ host, port }) => `${host}:${port}`).join(",")}`,
    flavour: (nodes[0] as StartedNode).server.flavour,
    nodes,
    masterOf: (key) => masterOf(nodes, key),
    whole: () => whole(nodes),
    followed: () => followed(nodes),
    moveSlot: (key, from, to) => moveSlot(key, from as StartedNode, to as StartedNode),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

interface StartedNode extends TestClusterNode {
  server: RedisServer;
  readonly busPort: number;
}

async function startNode(dataDir: string, flavour: RedisFlavour | undefined): Promise<StartedNode> {
  const [port, busPort] = [await freePort(), await freePort()];
  const options = { dataDir, port, cluster: { busPort, nodeTimeoutMs }, ...(flavour === undefined ? {} : { flavour }) };
  const node: StartedNode = {
    server: await startRedisServer(options),
    port,
    busPort,
    get pid() {
      return node.server.pid;
    },
    kill9: async () => {
      process.kill(node.server.pid, "SIGKILL");
      await node.server.exited;
    },
    restart: async () => {
      await node.server.stop();
      node.server = await startRedisServer(options);
      await syncAtOnce(node);
    },
  };
  await syncAtOnce(node);
  return node;
}

/** By default a master waits five seconds for more replicas. */
async function syncAtOnce(node: StartedNode): Promise<void> {
  await ask(node, (redis) => redis.config("SET", "repl-diskless-sync-delay", "0"));
}

/** Assigns the slots to the masters and connects them. */
async function introduce(nodes: readonly StartedNode[]): Promise<void> {
  const [first] = nodes as [StartedNode];
  for (const [index, node] of nodes.slice(0, masters).entries()) {
    const from = Math.floor((index * slots) / masters);
    const to = Math.floor(((index + 1) * slots) / masters) - 1;
    await ask(node, (redis) => redis.call("CLUSTER", "ADDSLOTSRANGE", from, to));
    await ask(node, (redis) => redis.call("CLUSTER", "SET-CONFIG-EPOCH", index + 1));
  }
  for (const node of nodes.slice(1)) await ask(node, (redis) => redis.call("CLUSTER", "MEET", "127.0.0.1", first.port, first.busPort));
}

/** Makes the other servers replicas of the masters. */
async function makeReplicas(nodes: readonly StartedNode[]): Promise<void> {
  for (const [index, master] of nodes.slice(0, masters).entries()) {
    const id = await ask(master, (redis) => redis.call("CLUSTER", "MYID"));
    await ask(nodes[masters + index] as StartedNode, (redis) => redis.call("CLUSTER", "REPLICATE", String(id)));
  }
  await followed(nodes);
}

async function followed(nodes: readonly StartedNode[]): Promise<void> {
  const deadlineMs = performance.now() + wholeWithinMs;
  for (;;) {
    const infos = await Promise.all(nodes.map((node) => ask(node, (redis) => redis.info()).catch(String)));
    // A former master considers itself one until it learns of its replacement.
    const replicas = infos.filter((info) => /master_link_status:up/.test(info) && /aof_rewrite_in_progress:0/.test(info));
    if (replicas.length === nodes.length - masters) return;
    if (performance.now() > deadlineMs) throw new Error(`The replicas did not follow within ${wholeWithinMs} ms.`);
    await pause(pollMs);
  }
}

async function masterOf(nodes: readonly StartedNode[], key: string): Promise<TestClusterNode | undefined> {
  for (const node of nodes) {
    // A replica redirects to the master, and a stopped server does not answer.
    const isIts = await ask(node, (redis) => redis.exists(key)).then(
      () => true,
      () => false,
    );
    if (isIts) return node;
  }
  return undefined;
}

async function whole(nodes: readonly StartedNode[]): Promise<void> {
  const deadlineMs = performance.now() + wholeWithinMs;
  for (const node of nodes) {
    for (;;) {
      const info = await ask(node, (redis) => redis.cluster("INFO")).catch(String);
      if (/cluster_state:ok/.test(info) && new RegExp(`cluster_known_nodes:${nodes.length}\\b`).test(info)) break;
      if (performance.now() > deadlineMs) throw new Error(`The cluster did not come about within ${wholeWithinMs} ms:\n${info}`);
      await pause(pollMs);
    }
  }
}

async function moveSlot(key: string, from: StartedNode, to: StartedNode): Promise<void> {
  const command = (node: StartedNode, ...args: (string | number)[]) => ask(node, (redis) => redis.call("CLUSTER", ...args));
  const slot = Number(await command(from, "KEYSLOT", key));
  const [fromId, toId] = [String(await command(from, "MYID")), String(await command(to, "MYID"))];
  await command(to, "SETSLOT", slot, "IMPORTING", fromId);
  await command(from, "SETSLOT", slot, "MIGRATING", toId);
  const keys = (await command(from, "GETKEYSINSLOT", slot, 10_000)) as string[];
  if (keys.length > 0) await ask(from, (redis) => redis.call("MIGRATE", "127.0.0.1", to.port, "", 0, 5000, "KEYS", ...keys));
  for (const node of [to, from]) await command(node, "SETSLOT", slot, "NODE", toId);
}

/** Calls a single server through its socket, without the cluster client. */
async function ask<T>(node: StartedNode, question: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis({ path: node.server.socketPath, retryStrategy: null });
  redis.on("error", () => undefined);
  try {
    return await question(redis);
  } finally {
    redis.disconnect();
  }
}
