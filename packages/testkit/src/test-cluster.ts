import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { RedisAddress } from "@petak/redis";
import { type RedisFlavour, type RedisServer, startRedisServer } from "@petak/redis/server";

import { Redis } from "ioredis";
import { freePort } from "./free-port.ts";
import { createTempDir } from "./temp-dir.ts";

/** One server of a test's cluster. */
export interface TestClusterNode {
  readonly port: number;
  /** The process that runs now. */
  readonly pid: number;
  /** Kills it outright, as a crash would, and resolves when it has gone. Its data stays. */
  kill9(): Promise<void>;
  /** Starts it again over the data it left. It takes its slots up again by itself, some seconds later. */
  restart(): Promise<void>;
}

/** What kind of cluster a test wants. */
export interface TestClusterOptions {
  /** Default: whichever is installed, Redis first. */
  flavour?: RedisFlavour;
  /** Whether each master has a replica, which takes its place when it is lost. Default false. */
  hasReplicas?: boolean;
}

/** A real cluster of three masters, on ports of 127.0.0.1, with a data directory of its own. */
export interface TestCluster extends AsyncDisposable {
  readonly address: RedisAddress;
  /** The same for settings such as `PETAK_REDIS_URL`: `redis+cluster://127.0.0.1:…,127.0.0.1:…`. */
  readonly url: string;
  readonly flavour: RedisFlavour;
  /** The three masters, and behind them their replicas in the same order, as they were at the start. */
  readonly nodes: readonly TestClusterNode[];
  /** The server that has the slot of a key now, by the word of those that run; undefined while there is none. */
  masterOf(key: string): Promise<TestClusterNode | undefined>;
  /** Resolves when every master says that all slots are served. */
  whole(): Promise<void>;
  /** Resolves when every server that is no master follows one, and has all that it has. */
  followed(): Promise<void>;
  /** Moves the slot of a key, with all that is in it, from one master to another, as an operator does who adds a master. */
  moveSlot(key: string, from: TestClusterNode, to: TestClusterNode): Promise<void>;
  /** Ends its servers in good order and removes their data. May be called any number of times. */
  stop(): Promise<void>;
}

const masters = 3;
const slots = 16_384;

/** How long a master may be silent before the others refuse to work without it. */
const nodeTimeoutMs = 1000;

/** Longest time for the masters to agree: a server that starts waits two seconds by itself before it serves slots. */
const wholeWithinMs = 60_000;
const pollMs = 20;

/** Starts a cluster. It takes some three seconds, so that the tests of one run share one, unless they kill its servers. */
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

/** By itself a master waits five seconds for more replicas. */
async function syncAtOnce(node: StartedNode): Promise<void> {
  await ask(node, (redis) => redis.config("SET", "repl-diskless-sync-delay", "0"));
}

/** Gives each master its share of the slots, and makes them known to each other. */
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

/** Lets the servers behind the masters follow them. */
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
    // One that was a master takes itself for one until it hears that it has been replaced.
    const replicas = infos.filter((info) => /master_link_status:up/.test(info) && /aof_rewrite_in_progress:0/.test(info));
    if (replicas.length === nodes.length - masters) return;
    if (performance.now() > deadlineMs) throw new Error(`The replicas did not follow within ${wholeWithinMs} ms.`);
    await pause(pollMs);
  }
}

async function masterOf(nodes: readonly StartedNode[], key: string): Promise<TestClusterNode | undefined> {
  for (const node of nodes) {
    // A replica says that the key is elsewhere, a server that is away says nothing.
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

/** Asks one server by its socket, whatever the cluster thinks of it. */
async function ask<T>(node: StartedNode, question: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis({ path: node.server.socketPath, retryStrategy: null });
  redis.on("error", () => undefined);
  try {
    return await question(redis);
  } finally {
    redis.disconnect();
  }
}
